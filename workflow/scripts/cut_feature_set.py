from himoe.job import job

with job(snakemake):
    from himoe import io
    from himoe.data.tokens import read_tokens, write_tokens
    from himoe.data.views import feature_set

    files, out, modalities = snakemake.input, snakemake.output, tuple(snakemake.params.modalities)
    quality = io.read_json(files.quality)
    io.write_json(out.quality, {name: quality[name] for name in modalities})
    write_tokens(out.tokens, feature_set(read_tokens(files.tokens), modalities))
