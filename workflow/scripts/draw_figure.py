from himoe.job import job

with job(snakemake):
    from himoe.config.contents import Entry
    from himoe.report.evidence import Evidence
    from himoe.report.items import draw_figure

    names, params = snakemake.wildcards, snakemake.params
    entry = Entry("figures", names.figure, names.get("condition", ""))
    draw_figure(entry, Evidence.of(snakemake.input, params.config), params.code, dict(snakemake.output.items()))
