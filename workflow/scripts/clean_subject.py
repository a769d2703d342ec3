from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe import registry
    from himoe.data import intake
    from himoe.data.recordings import write_trials
    from himoe.types import Size

    params, name, subject = snakemake.params, snakemake.wildcards.dataset, snakemake.wildcards.subject
    size = Size(**params.size)
    if params.folder:
        folder = Path(params.folder)
        record = intake.find_record(name, Path(params.root), folder, size, params.edition, subject, params.allow_missing)
    else:
        folder, record = intake.record_of(Path(snakemake.input[0]), subject)
    plugin = registry.load("datasets", name)
    write_trials(snakemake.output.recordings, list(plugin.read(folder, record, size, **params.options)) if record.files else [])
