from himoe.data.tokens import read_tokens
from himoe.job import job

with job(snakemake):
    from himoe import io
    from himoe.config.protocols import PROTOCOLS
    from himoe.config.sections import Splits
    from himoe.data.views import View
    from himoe.splits.files import read_splits
    from himoe.splits.guards import check_split
    from himoe.splits.make import make_splits

    protocol = snakemake.wildcards.protocol
    settings = Splits(**snakemake.params.settings)
    view = View(window=settings.window_seconds if PROTOCOLS[protocol].windows else 0.0)
    trials = [trial for file in snakemake.input.tokens for trial in view.prepare(read_tokens(file)).trials]
    with io.atomic(snakemake.output.splits) as temporary:
        io.write_table(temporary, make_splits(protocol, trials, settings))
        for split in read_splits(temporary):
            check_split(split, protocol)
