from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe.evaluate.predict import predict_files
    from himoe.io import write_table

    wildcards, params, files = snakemake.wildcards, snakemake.params, snakemake.input
    predictions, routing = predict_files(
        dict(wildcards.items()), list(map(Path, files.tokens)), files.splits, params.options, params.settings,
        Path(files.weights), Path(files.record), params.conditions, params.condition_seed,
        params.view, list(map(Path, files.recordings)),
    )  # fmt: skip
    write_table(snakemake.output.routing, routing)
    write_table(snakemake.output.predictions, predictions)
