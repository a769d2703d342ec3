from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe import io, registry
    from himoe.intake import record_of
    from himoe.recordings import write_trials
    from himoe.types import Size

    params, manifest = snakemake.params, io.read_json(snakemake.input.manifest)
    plugin = registry.load("datasets", snakemake.wildcards.dataset)
    record = record_of(manifest, snakemake.wildcards.subject)
    read = plugin.read(Path(manifest["root"]), record, Size(**params.size), **params.options) if record.files else []
    write_trials(snakemake.output.recordings, list(read))
