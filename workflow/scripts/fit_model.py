from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe.train.shard import fit

    wildcards, params, files = snakemake.wildcards, snakemake.params, snakemake.input
    asked = snakemake.resources
    settings = params.settings | {"checkpoint_seconds": asked.checkpoint_seconds, "tensorboard": bool(asked.tensorboard)}
    fit(
        dict(wildcards.items()), list(map(Path, files.tokens)), files.splits, params.options, settings,
        Path(snakemake.output.weights), Path(snakemake.output.record), params.code, params.view, params.tuning,
        list(map(Path, files.recordings)),
    )  # fmt: skip
