from himoe.job import job

with job(snakemake):
    from himoe import io
    from himoe.config.sections import Splits
    from himoe.config.spec import View
    from himoe.data.tokens import read_tokens
    from himoe.data.views import prepare
    from himoe.splits.files import read_splits
    from himoe.splits.guards import check_fold, labels_of
    from himoe.splits.make import make_splits

    protocol, params, trials, labels = snakemake.wildcards.protocol, snakemake.params, [], {}
    for file in snakemake.input.tokens:
        tokens = prepare(View(window=params.window), read_tokens(file))
        trials, labels = [*trials, *tokens.trials], labels | labels_of(tokens)
    with io.atomic(snakemake.output.splits, sealed=True) as temporary:
        io.write_table(temporary, make_splits(protocol, trials, Splits(**params.settings)))
        for split in read_splits(temporary):
            check_fold(split, protocol, labels, tokens.layout.targets)
