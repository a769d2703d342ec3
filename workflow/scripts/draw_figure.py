from himoe.job import job

with job(snakemake):
    from himoe.report.items import draw_figure

    name, params, files = snakemake.wildcards.figure, snakemake.params, snakemake.input
    draw_figure(name, {k: list(v) if not isinstance(v, str) else [v] for k, v in files.items()}, params.config, params.code)
