# Contract: source files -> results/{dataset}/manifest.json (verified, unpacked) -> results/{dataset}/subjects/{subject}.safetensors
# (cleaned recordings) -> {subject}.npz (tokens) and {subject}.json (quality) -> results/{dataset}/card.json (data card).
# A twin's source files, and those of a set that is downloaded, are brought here too.
if CREDENTIALS:

    envvars:
        *CREDENTIALS,


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
        edition=edition_of,
        snr=CONFIG.twin.snr,
        twin_seed=CONFIG.twin.seed,
        code=simulator_code,
    script:
        "../scripts/synthesize_twin.py"


# What a data set lacks is fetched into its drop zone; once there, it is a source file like any other.
if DOWNLOADS:

    rule fetch_dataset:
        output:
            archive=f"{Path(CONFIG.data_root)}/{{dataset}}/{{archive}}",
        log:
            "results/{dataset}/logs/fetch_{archive}.log",
        wildcard_constraints:
            archive="|".join(re.escape(name) for name in DOWNLOADS),
        conda:
            "../../envs/himoe.yaml"
        params:
            code=fingerprint("himoe.data.download"),
        script:
            "../scripts/fetch_dataset.py"


rule take_in:
    input:
        source_files,
    output:
        manifest="results/{dataset}/manifest.json",
        unpacked=directory("results/{dataset}/unpacked"),
    log:
        "results/{dataset}/logs/take_in.log",
    wildcard_constraints:
        dataset=RECORDED,
    conda:
        "../../envs/himoe.yaml"
    params:
        root=root_of,
        size=size_of,
        edition=edition_of,
        allow_missing=CONFIG.allow_missing_subjects,
        stamps=stamps_of,
        code=intake_code,
    script:
        "../scripts/take_in.py"


# No ancient() here: Snakemake does not look at the other inputs of a job below one that runs.
rule clean_subject:
    input:
        recordings_of,
    output:
        recordings="results/{dataset}/subjects/{subject}.safetensors",
    log:
        "results/{dataset}/logs/clean_{subject}.log",
    wildcard_constraints:
        dataset=RECORDED,
    conda:
        "../../envs/himoe.yaml"
    params:
        root=root_of,
        folder=folder_of,
        size=size_of,
        edition=edition_of,
        options=reading_of,
        allow_missing=CONFIG.allow_missing_subjects,
        stamps=stamps_of,
        code=reader_code,
        versions=versions("scipy", "mne", "edfio"),
    script:
        "../scripts/clean_subject.py"


rule prepare_subject:
    input:
        recordings=rules.clean_subject.output.recordings,
    output:
        tokens="results/{dataset}/subjects/{subject}.npz",
        quality="results/{dataset}/subjects/{subject}.json",
    log:
        "results/{dataset}/logs/prepare_{subject}.log",
    wildcard_constraints:
        dataset=RECORDED,
    conda:
        "../../envs/himoe.yaml"
    params:
        targets=targets_of,
        features=features_of,
        lag=lag_of,
        facts=facts_of,
        code=fingerprint("himoe.data.prepare", "himoe.data.recordings"),
        versions=versions("scipy", "neurokit2"),
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
        facts=facts_of,
        code=fingerprint("himoe.data.prepare"),
    script:
        "../scripts/describe_dataset.py"
