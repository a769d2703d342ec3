from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe import io, registry
    from himoe.intake import record_of
    from himoe.preprocess import prepare_subject
    from himoe.types import Size

    params, root = snakemake.params, Path(snakemake.params.root)
    plugin = registry.load("datasets", snakemake.wildcards.dataset)
    record = record_of(io.read_json(snakemake.input.manifest), root, snakemake.wildcards.subject)
    trials = plugin.read(root, record, Size(**params.size)) if record.files else []
    tokens, quality = prepare_subject(plugin.INFO, trials, tuple(params.targets))
    io.write_json(snakemake.output.quality, quality)
    io.write_tokens(snakemake.output.tokens, tokens)
