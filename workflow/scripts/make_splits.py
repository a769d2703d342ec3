from himoe.job import job

with job(snakemake):
    from himoe import io
    from himoe.guards import check_split
    from himoe.protocols import PROTOCOLS
    from himoe.settings import Splits
    from himoe.splits import make_splits
    from himoe.store import read_splits
    from himoe.views import View

    protocol = snakemake.wildcards.protocol
    settings = Splits(**snakemake.params.settings)
    view = View(window=settings.window_seconds if PROTOCOLS[protocol].windows else 0.0)
    trials = [trial for file in snakemake.input.tokens for trial in view.prepare(io.read_tokens(file)).trials]
    with io.atomic(snakemake.output.splits) as temporary:
        io.write_table(temporary, make_splits(protocol, trials, settings))
        for split in read_splits(temporary):
            check_split(split, protocol)
