from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe.intake import synthesize
    from himoe.types import Size

    params = snakemake.params
    root = Path(snakemake.output.mark).parent
    synthesize(snakemake.wildcards.dataset, root, Size(**params.size), params.snr, params.twin_seed)
