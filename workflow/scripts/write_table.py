from himoe.job import job

with job(snakemake):
    from himoe.report.items import write_table

    name, params, files = snakemake.wildcards.table, snakemake.params, snakemake.input
    write_table(name, {k: list(v) if not isinstance(v, str) else [v] for k, v in files.items()}, params.config, params.code)
