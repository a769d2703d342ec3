from himoe.job import job

with job(snakemake):
    from himoe.config.contents import Entry
    from himoe.report.evidence import Evidence
    from himoe.report.items import write_table

    evidence = Evidence.of(snakemake.input, snakemake.params.config)
    write_table(Entry("tables", snakemake.wildcards.table), evidence, snakemake.params.code, dict(snakemake.output.items()))
