from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe.report.page import render

    files, out = snakemake.input, snakemake.output
    render(list(files.figures), list(files.tables), list(files.runs), snakemake.params.config, Path(out.html), Path(out.json))
