from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe import io
    from himoe.intake import synthesize
    from himoe.types import Size

    params = snakemake.params
    asked = synthesize(snakemake.wildcards.dataset, Path(params.root), Size(**params.size), params.snr, params.twin_seed)
    io.write_json(snakemake.output.mark, asked)
