# Contract: source files -> results/{dataset}/manifest.json (verified) -> results/{dataset}/subjects/{subject}.npz (tokens)
# and {subject}.json (quality) -> results/{dataset}/card.json (data card). A twin's source files are written here too.


rule synthesize_twin:
    output:
        mark="results/{dataset}/twin.json",
    log:
        "results/{dataset}/logs/synthesize_twin.log",
    wildcard_constraints:
        dataset=r"[A-Za-z0-9_]+_twin",
    conda:
        "../../envs/himoe.yaml"
    params:
        root=root_of,
        size=size_of,
        snr=CONFIG.twin.snr,
        twin_seed=CONFIG.twin.seed,
        code=simulator_code,
    script:
        "../scripts/synthesize_twin.py"


rule take_in:
    input:
        source_files,
    output:
        manifest="results/{dataset}/manifest.json",
    log:
        "results/{dataset}/logs/take_in.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        root=root_of,
        size=size_of,
        allow_missing=CONFIG.allow_missing_subjects,
        code=dataset_code,
    script:
        "../scripts/take_in.py"


rule prepare_subject:
    input:
        manifest=rules.take_in.output.manifest,
    output:
        tokens="results/{dataset}/subjects/{subject}.npz",
        quality="results/{dataset}/subjects/{subject}.json",
    log:
        "results/{dataset}/logs/prepare_{subject}.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        root=root_of,
        size=size_of,
        targets=targets_of,
        code=dataset_code,
    script:
        "../scripts/prepare_subject.py"


rule describe_dataset:
    input:
        manifest=rules.take_in.output.manifest,
        tokens=every_subject("npz"),
        quality=every_subject("json"),
    output:
        card="results/{dataset}/card.json",
    log:
        "results/{dataset}/logs/describe_dataset.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        code=dataset_code,
    script:
        "../scripts/describe_dataset.py"
