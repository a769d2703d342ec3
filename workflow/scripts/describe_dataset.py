from himoe.job import job

with job(snakemake):
    from himoe import io
    from himoe.config.facts import dataset_info
    from himoe.data.card import describe
    from himoe.data.tokens import read_tokens

    name, files, how = snakemake.wildcards.dataset, snakemake.input, snakemake.params.preparation
    tokens = [read_tokens(path) for path in files.tokens]
    quality = [io.read_json(path) for path in files.quality]
    manifest = io.read_json(files.manifest)
    card = describe(name, dataset_info(name), manifest, tokens, quality, how)
    io.write_json(snakemake.output.card, card, sealed=True)
