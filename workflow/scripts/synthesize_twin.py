from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe import io
    from himoe.data.twins import synthesize
    from himoe.types import Size

    params, name = snakemake.params, snakemake.wildcards.dataset
    root, size = Path(params.root), Size(**params.size)
    settings = synthesize(name, root, size, params.edition, threads=snakemake.threads, **params.twin)
    io.write_json(snakemake.output.mark, settings)
