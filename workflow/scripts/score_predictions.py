from himoe.job import job

with job(snakemake):
    from himoe.evaluate.score import score_run
    from himoe.io import write_table

    scores = score_run(snakemake.input.predictions, snakemake.input.splits)
    write_table(snakemake.output.scores, scores, sealed=True)
