from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe.config.sections import Execution
    from himoe.config.spec import FitSpec
    from himoe.evaluate.conditions import Conditions
    from himoe.evaluate.predict import predict_files
    from himoe.io import write_table

    files, params = snakemake.input, snakemake.params
    predictions, routing = predict_files(
        FitSpec(**params.spec), Execution(**snakemake.config.get("execution", {})), list(map(Path, files.tokens)),
        Path(files.splits), Path(files.weights), Path(files.record), Conditions(params.conditions, params.condition_seed),
        list(map(Path, files.recordings)),
    )  # fmt: skip
    write_table(snakemake.output.routing, routing, sealed=True)
    write_table(snakemake.output.predictions, predictions, sealed=True)
