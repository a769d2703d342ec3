from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe import io
    from himoe.data.intake import synthesize
    from himoe.types import Size

    params, name = snakemake.params, snakemake.wildcards.dataset
    asked = synthesize(name, Path(params.root), Size(**params.size), params.edition, params.snr, params.twin_seed)
    io.write_json(snakemake.output.mark, asked)
