from himoe.job import job

with job(snakemake):
    import pandas as pd

    from himoe.io import write_table

    write_table(
        snakemake.output.scores,
        pd.concat([pd.read_csv(file, dtype={"subject": str}) for file in snakemake.input], ignore_index=True),
    )
