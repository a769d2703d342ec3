# Contract: source files (a twin's are written here) -> results/{dataset}/manifest.json -> subjects/{subject}.safetensors (cleaned; variants
# are prepared from them too) -> {subject}.npz (tokens; planted ones are simulated), {subject}.json (quality) -> results/{dataset}/card.json.
rule synthesize_twin:
    output:
        mark="results/{dataset}/twin.json",
    log:
        "results/{dataset}/logs/synthesize_twin.log",
    wildcard_constraints:
        dataset=r"[A-Za-z0-9_]+_twin",
    conda:
        "../../envs/himoe.yaml"
    threads: 16  # a person each; fewer where there are fewer cores
    params:
        root=ask(SOURCES.root, "dataset"),
        size=size_of,
        edition=ask(SOURCES.edition, "dataset"),
        twin=section(CONFIG.twin, "subjects", "trials", "seconds"),
        code=code_of_dataset("synthesize_twin"),
    script:
        "../scripts/synthesize_twin.py"


# What a data set lacks is downloaded into its folder; once there, it is a source file like any other.
if SOURCES.awaited:

    rule fetch_dataset:
        output:
            archive=f"{Path(CONFIG.data_root)}/{{dataset}}/{{archive}}",
        log:
            "results/{dataset}/logs/fetch_{archive}.log",
        wildcard_constraints:
            archive="|".join(re.escape(d.name) for d in SOURCES.awaited),
        conda:
            "../../envs/himoe.yaml"
        params:
            code=script_code("fetch_dataset"),
        script:
            "../scripts/fetch_dataset.py"


rule take_in:
    input:
        ask(SOURCES.files, "dataset"),
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
        root=ask(SOURCES.root, "dataset"),
        size=size_of,
        edition=ask(SOURCES.edition, "dataset"),
        allow_missing=CONFIG.allow_missing_subjects,
        stamps=ask(SOURCES.stamps, "dataset", "subject"),
        code=code_of_dataset("take_in"),
    script:
        "../scripts/take_in.py"


rule clean_subject:
    input:
        ask(SOURCES.read_from, "dataset", "subject"),
    output:
        recordings="results/{dataset}/subjects/{subject}.safetensors",
    log:
        "results/{dataset}/logs/clean_{subject}.log",
    wildcard_constraints:
        dataset=RECORDED,
    conda:
        "../../envs/himoe.yaml"
    params:
        packed=ask(SOURCES.is_packed, "dataset"),
        root=ask(SOURCES.root, "dataset"),
        size=size_of,
        edition=ask(SOURCES.edition, "dataset"),
        options=ask(CONFIG.reading_options, "dataset"),
        allow_missing=CONFIG.allow_missing_subjects,
        stamps=ask(SOURCES.stamps, "dataset", "subject"),
        code=code_of_dataset("clean_subject"),
        versions=versions("scipy", "mne", "edfio"),
    script:
        "../scripts/clean_subject.py"


rule prepare_subject:
    input:
        recordings=recordings_of,
    output:
        tokens="results/{dataset}/subjects/{subject}.npz",
        quality="results/{dataset}/subjects/{subject}.json",
    log:
        "results/{dataset}/logs/prepare_{subject}.log",
    wildcard_constraints:
        dataset=f"{RECORDED}|{VARIANTS}",
    conda:
        "../../envs/himoe.yaml"
    params:
        preparation=ask(CONFIG.preparation_of, "dataset"),
        facts=ask(facts.facts_of_tokens, "dataset"),
        code=script_code("prepare_subject"),
        versions=versions("scipy", "neurokit2"),
    script:
        "../scripts/prepare_subject.py"


rule describe_dataset:
    input:
        manifest=manifest_of,
        tokens=every_subject("npz"),
        quality=every_subject("json"),
    output:
        card="results/{dataset}/card.json",
    log:
        "results/{dataset}/logs/describe_dataset.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        facts=ask(facts.facts_of_card, "dataset"),
        preparation=ask(CONFIG.preparation_of, "dataset"),
        code=script_code("describe_dataset", words=True),
    script:
        "../scripts/describe_dataset.py"


for _dataset in filter(registry.is_planted, CONFIG.datasets):

    rule:
        name:
            simulation_rule(_dataset)
        output:
            subject_files("npz")(_dataset),
            subject_files("json")(_dataset),
            manifest=f"results/{_dataset}/manifest.json",
            truth=f"results/{_dataset}/truth.json",
        log:
            f"results/{_dataset}/logs/simulate_tokens.log",
        conda:
            "../../envs/himoe.yaml"
        threads: 4
        params:
            dataset=_dataset,
            settings=section(CONFIG.planted_of(_dataset), "models", "conditions"),
            code=dataset_code("simulate_tokens", _dataset),
            versions=versions(),
        script:
            "../scripts/simulate_tokens.py"
