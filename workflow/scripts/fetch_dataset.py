from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe import io, registry
    from himoe.fetch import fetch

    name, params = snakemake.wildcards.dataset, snakemake.params
    downloads = [d for d in registry.peek("datasets", name)["INFO"].downloads if d.name in params.names]
    io.write_json(snakemake.output.mark, fetch(downloads, Path(params.root)))
