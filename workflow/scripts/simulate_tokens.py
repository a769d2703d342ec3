from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe.data.simulate import simulate

    simulate(snakemake.params.dataset, snakemake.params.settings, Path(snakemake.output.truth).parent)
