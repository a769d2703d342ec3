from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe import io
    from himoe.intake import take_in
    from himoe.types import Size

    params = snakemake.params
    manifest = take_in(snakemake.wildcards.dataset, Path(params.root), Size(**params.size), params.allow_missing)
    io.write_json(snakemake.output.manifest, manifest)
