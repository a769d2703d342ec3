from himoe.job import job

with job(snakemake):
    from himoe.evaluate.score import gather
    from himoe.io import write_table

    write_table(snakemake.output.scores, gather(list(snakemake.input)), sealed=True)
