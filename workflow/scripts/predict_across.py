from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe.config.sections import Execution
    from himoe.config.spec import FitSpec
    from himoe.evaluate.across import predict_across
    from himoe.io import write_table

    files, params = snakemake.input, snakemake.params
    predictions = predict_across(
        FitSpec(**params.spec), Execution(**snakemake.config.get("execution", {})), Path(files.own[0]), Path(files.splits),
        Path(files.weights), Path(files.record), snakemake.wildcards.other, list(map(Path, files.tokens)), params.scales,
    )  # fmt: skip
    write_table(snakemake.output.predictions, predictions, sealed=True)
