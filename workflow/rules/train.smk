# Contract: tokens + splits -> results/{dataset}/{protocol}/{model}/seed-{seed}/shard-{shard}/ with weights.safetensors and
# run.json (fit_model: training and inner-validation subjects only), then predictions.parquet and routing.parquet
# (predict: the only rule that reads test rows).
FIT = "results/{dataset}/{protocol}/{model}/seed-{seed}/shard-{shard}"


def options_of(wildcards):
    return CONFIG.options(wildcards.model)


def fit_code(wildcards):
    codes = [
        plugin_code(
            "models", wildcards.model, "himoe.training", "himoe.windows", "himoe.store"
        )
    ]
    if reference := registry.peek("models", wildcards.model).get("REFERENCE"):
        codes.append(plugin_code("models", reference))
    return codes


def predict_code(wildcards):
    conditions = [f"himoe.perturb.{name}" for name in CONFIG.conditions]
    return [*fit_code(wildcards), fingerprint("himoe.predict", *conditions)]


rule fit_model:
    input:
        tokens=every_subject("npz"),
        splits=rules.make_splits.output.splits,
    output:
        weights=f"{FIT}/weights.safetensors",
        record=f"{FIT}/run.json",
    log:
        f"{FIT}/fit_model.log",
    threads: CONFIG.training.threads
    params:
        options=options_of,
        settings=section(CONFIG.training),
        code=fit_code,
    script:
        "../scripts/fit_model.py"


rule predict:
    input:
        tokens=every_subject("npz"),
        splits=rules.make_splits.output.splits,
        weights=rules.fit_model.output.weights,
        record=rules.fit_model.output.record,
    output:
        predictions=f"{FIT}/predictions.parquet",
        routing=f"{FIT}/routing.parquet",
    log:
        f"{FIT}/predict.log",
    threads: CONFIG.training.threads
    params:
        options=options_of,
        settings=section(CONFIG.training),
        conditions=CONFIG.conditions,
        condition_seed=CONFIG.condition_seed,
        code=predict_code,
    script:
        "../scripts/predict.py"
