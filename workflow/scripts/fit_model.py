from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe.fit import fit

    wildcards, params, files = snakemake.wildcards, snakemake.params, snakemake.input
    settings = params.settings | {"checkpoint_seconds": snakemake.resources.checkpoint_seconds}
    fit(
        dict(wildcards.items()), list(map(Path, files.tokens)), files.splits, params.options, settings,
        Path(snakemake.output.weights), Path(snakemake.output.record), params.code,
    )  # fmt: skip
