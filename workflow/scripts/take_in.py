from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe import io
    from himoe.data.intake import take_in
    from himoe.types import Size

    params, name = snakemake.params, snakemake.wildcards.dataset
    root, unpacked = Path(params.root), Path(snakemake.output.unpacked)
    manifest = take_in(name, root, Size(**params.size), unpacked, params.edition, params.allow_missing)
    io.write_json(snakemake.output.manifest, manifest)
