from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe import registry
    from himoe.data.download import fetch

    name, archive = snakemake.wildcards.dataset, Path(snakemake.output.archive)
    downloads = [d for d in registry.peek("datasets", name)["INFO"].downloads if d.name == archive.name]
    fetch(downloads, archive.parent)
