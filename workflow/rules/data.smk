# Contract: source files -> results/{dataset}/manifest.json (verified, unpacked) -> results/{dataset}/subjects/{subject}.safetensors
# (cleaned recordings) -> {subject}.npz (tokens) and {subject}.json (quality) -> results/{dataset}/card.json (data card).
# A twin's source files and downloads are made here too, and so are planted data sets, which are simulated as tokens.
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
        twin=CONFIG.twin.model_dump(include={"snr", "seed"}),
        code=simulator_code,
    script:
        "../scripts/synthesize_twin.py"


# What a data set lacks is downloaded into its folder; once there, it is a source file like any other.
if DOWNLOADS:

    rule fetch_dataset:
        output:
            archive=f"{Path(CONFIG.data_root)}/{{dataset}}/{{archive}}",
        log:
            "results/{dataset}/logs/fetch_{archive}.log",
        wildcard_constraints:
            archive="|".join(re.escape(d.name) for d in DOWNLOADS),
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
        packed=is_packed,
        root=root_of,
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
        facts=all_facts_of,
        code=fingerprint("himoe.data.card", words=True),
    script:
        "../scripts/describe_dataset.py"


for _dataset in filter(registry.is_planted, CONFIG.datasets):

    rule:
        name:
            simulation_rule(_dataset)
        output:
            subject_files(_dataset, "npz"),
            subject_files(_dataset, "json"),
            manifest=f"results/{_dataset}/manifest.json",
            truth=f"results/{_dataset}/truth.json",
        log:
            f"results/{_dataset}/logs/simulate_tokens.log",
        conda:
            "../../envs/himoe.yaml"
        params:
            dataset=_dataset,
            settings=section(CONFIG.planted_of(_dataset), "models", "conditions"),
            code=plugin_code("datasets", _dataset, "himoe.data.simulate"),
            versions=versions(),
        script:
            "../scripts/simulate_tokens.py"
