from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe.data import intake
    from himoe.data.door import read_trials_of
    from himoe.data.recordings import write_trials
    from himoe.types import Size

    params, name, subject = snakemake.params, snakemake.wildcards.dataset, snakemake.wildcards.subject
    size = Size(**params.size)
    if params.packed:
        folder, record = intake.read_manifest(Path(snakemake.input[0]), subject)
    else:
        recordings = intake.find(name, Path(params.root), params.edition)
        folder, record = recordings.folder, intake.find_record(name, recordings, size, subject, params.allow_missing)
    trials = list(read_trials_of(name, folder, record, size, **params.options)) if record.files else []
    write_trials(snakemake.output.recordings, trials)
