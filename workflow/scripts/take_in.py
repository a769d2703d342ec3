from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe import io
    from himoe.data import intake
    from himoe.types import Size

    params, name = snakemake.params, snakemake.wildcards.dataset
    recordings = intake.find(name, Path(params.root), params.edition)
    unpacked = Path(snakemake.output.unpacked)
    manifest = intake.take_in(name, recordings, Size(**params.size), unpacked, params.allow_missing)
    io.write_json(snakemake.output.manifest, manifest, sealed=True)
