from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe.config.claims import seal
    from himoe.config.load import load_config
    from himoe.config.sections import Execution
    from himoe.config.spec import FitSpec
    from himoe.train.shard import fit_shard

    files, out, params = snakemake.input, snakemake.output, snakemake.params
    execution = Execution(**snakemake.config.get("execution", {}))
    fit_shard(
        FitSpec(**params.spec), execution, list(map(Path, files.tokens)), Path(files.splits), Path(out.weights),
        Path(out.record), params.code, list(map(Path, files.recordings)), seal(files.hypotheses, load_config(snakemake.config)),
    )  # fmt: skip
