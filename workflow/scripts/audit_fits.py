from himoe.job import job

with job(snakemake):
    from pathlib import Path

    from himoe.evaluate.audit import audit_files
    from himoe.io import write_json

    files, params, names = snakemake.input, snakemake.params, snakemake.wildcards
    tokens, records, weights, made = (list(map(Path, files[part])) for part in ("tokens", "records", "weights", "predictions"))
    findings = audit_files(names.protocol, tokens, files.splits, records, weights, made, params.tell, params.normalisation)
    write_json(
        snakemake.output.sheet, {"dataset": names.dataset, "protocol": names.protocol, "findings": findings}, sealed=True
    )
