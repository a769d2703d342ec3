from himoe.job import job

with job(snakemake):
    from himoe import io
    from himoe.config.sections import Splits
    from himoe.config.spec import View
    from himoe.data.tokens import read_tokens
    from himoe.data.views import prepare
    from himoe.splits.files import read_splits
    from himoe.splits.guards import check_split
    from himoe.splits.make import make_splits

    protocol, params = snakemake.wildcards.protocol, snakemake.params
    view = View(window=params.window)
    trials = [trial for file in snakemake.input.tokens for trial in prepare(view, read_tokens(file)).trials]
    with io.atomic(snakemake.output.splits, sealed=True) as temporary:
        io.write_table(temporary, make_splits(protocol, trials, Splits(**params.settings)))
        for split in read_splits(temporary):
            check_split(split, protocol)
