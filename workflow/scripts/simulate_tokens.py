from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe.data.simulate import simulate

    params, folder = snakemake.params, Path(snakemake.output.truth).parent
    simulate(params.dataset, params.settings, folder, snakemake.threads)
