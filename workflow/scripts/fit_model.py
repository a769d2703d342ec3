from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe.fit import fit

    wildcards, params = snakemake.wildcards, snakemake.params
    fit(
        dict(wildcards.items()), list(map(Path, snakemake.input.tokens)), snakemake.input.splits, params.options,
        params.settings, Path(snakemake.output.weights), Path(snakemake.output.record), params.code,
    )  # fmt: skip
