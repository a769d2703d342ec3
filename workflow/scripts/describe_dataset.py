from himoe.data.tokens import read_tokens
from himoe.job import job

with job(snakemake):
    from himoe import io
    from himoe.config.facts import dataset_info
    from himoe.data.prepare import describe

    name, files = snakemake.wildcards.dataset, snakemake.input
    tokens, quality = [read_tokens(f) for f in files.tokens], [io.read_json(f) for f in files.quality]
    info = dataset_info(name)
    io.write_json(snakemake.output.card, describe(name, info, io.read_json(files.manifest), tokens, quality))
