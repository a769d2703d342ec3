from himoe.job import job

with job(snakemake):
    from himoe import io, registry
    from himoe.data.prepare import prepare_subject
    from himoe.data.recordings import read_trials
    from himoe.data.tokens import write_tokens

    params, info = snakemake.params, registry.peek("datasets", snakemake.wildcards.dataset)["INFO"]
    trials = read_trials(snakemake.input.recordings)
    tokens, quality = prepare_subject(info, trials, tuple(params.targets), params.features, params.lag)
    io.write_json(snakemake.output.quality, quality)
    write_tokens(snakemake.output.tokens, tokens)
