from himoe.job import job

with job(snakemake):
    from dataclasses import replace

    from himoe import io, registry
    from himoe.data.prepare import prepare_subject
    from himoe.data.recordings import read_trials
    from himoe.data.tokens import write_tokens

    how, info = snakemake.params.preparation, registry.peek("datasets", snakemake.wildcards.dataset)["INFO"]
    info = replace(info, modalities=tuple(m for m in info.modalities if m.name in how["modalities"]))
    trials = read_trials(snakemake.input.recordings)
    tokens, quality = prepare_subject(info, trials, tuple(how["targets"]), how["options"], how["lag"])
    io.write_json(snakemake.output.quality, quality, sealed=True)
    write_tokens(snakemake.output.tokens, tokens)
