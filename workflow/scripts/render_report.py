from himoe.job import job

with job(snakemake):
    from himoe.report.page import render

    params, files, out = snakemake.params, snakemake.input, snakemake.output
    render(
        {name: [paths] if isinstance(paths, str) else list(paths) for name, paths in files.items()}, params.config,
        params.config_files, out.html, out.json,
    )  # fmt: skip
