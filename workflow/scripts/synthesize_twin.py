from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe import io
    from himoe.data.twins import synthesize
    from himoe.types import Size

    params, name = snakemake.params, snakemake.wildcards.dataset
    settings = synthesize(name, Path(params.root), Size(**params.size), params.edition, **params.twin)
    io.write_json(snakemake.output.mark, settings)
