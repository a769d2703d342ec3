from himoe.job import job

with job(snakemake):
    import pandas as pd

    from himoe.evaluate.score import score, score_pooled
    from himoe.io import write_table

    predictions = pd.concat([pd.read_parquet(file) for file in snakemake.input.predictions], ignore_index=True)
    write_table(snakemake.output.scores, pd.concat([score(predictions), score_pooled(predictions)], ignore_index=True))
