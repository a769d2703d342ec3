from himoe.job import job

with job(snakemake):
    from himoe import io
    from himoe.audit import check_split
    from himoe.settings import Splits
    from himoe.splits import make_splits
    from himoe.store import read_splits

    protocol = snakemake.wildcards.protocol
    trials = [trial for file in snakemake.input.tokens for trial in io.read_tokens(file).trials]
    with io.atomic(snakemake.output.splits) as temporary:
        io.write_table(temporary, make_splits(protocol, trials, Splits(**snakemake.params.settings)))
        for split in read_splits(temporary):
            check_split(split, protocol)
