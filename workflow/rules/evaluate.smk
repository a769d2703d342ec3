# Contract: weights + tokens + splits -> {fit}/predictions.parquet and routing.parquet (predict: the only rule that reads test rows);
# all that was fitted under a protocol -> results/{dataset}/{protocol}/audit.json (fails where a test row was known: then nothing
# is scored); predictions of every model -> results/{dataset}/{protocol}/scores.csv -> results/scores.csv (tidy: dataset,
# protocol, model, seed, subject, condition, severity, target, metric, value, n). A new metric never retrains.
def conditions_of(wildcards):
    return CONFIG.conditions_of(wildcards.dataset, wildcards.protocol)


def predict_code(wildcards):
    conditions = [f"himoe.conditions.{name}" for name in conditions_of(wildcards)]
    without = other_code(wildcards.model)
    predicting = fingerprint("himoe.evaluate.predict", *conditions, without=without)
    return [*fit_code(wildcards), predicting]


def predictions_of(wildcards):
    return fits(f"{FIT}/predictions.parquet", [wildcards.dataset], [wildcards.protocol])


def records_of(wildcards):
    return fits(f"{FIT}/run.json", [wildcards.dataset], [wildcards.protocol])


def weights_of(wildcards):
    return fits(f"{FIT}/weights.safetensors", [wildcards.dataset], [wildcards.protocol])


def controls_of(wildcards):
    """Predictions of the models under a control."""
    models = [m for m in CONFIG.models if registry.control_of(m)]
    return fits(
        f"{FIT}/predictions.parquet",
        [wildcards.dataset],
        [wildcards.protocol],
        models,
    )


def audit_code(wildcards):
    """The audit changes data as the controls do."""
    controls = [plugin_code("controls", name) for name in CONFIG.controls]
    return [fingerprint("himoe.evaluate.audit"), *controls]


rule predict:
    input:
        tokens=every_subject("npz"),
        splits=rules.make_splits.output.splits,
        weights=rules.fit_model.output.weights,
        record=rules.fit_model.output.record,
        recordings=samples_of,
    output:
        predictions=f"{FIT}/predictions.parquet",
        routing=f"{FIT}/routing.parquet",
    log:
        f"{FIT}/predict.log",
    conda:
        "../../envs/himoe.yaml"
    threads: CONFIG.execution.threads
    resources:
        gpu=gpus_of,
    params:
        spec=spec_of,
        conditions=conditions_of,
        condition_seed=CONFIG.condition_seed,
        code=predict_code,
        versions=versions("torch"),
    script:
        "../scripts/predict.py"


rule audit_fits:
    input:
        tokens=every_subject("npz"),
        splits=rules.make_splits.output.splits,
        records=records_of,
        weights=weights_of,
        controls=controls_of,
    output:
        sheet="results/{dataset}/{protocol}/audit.json",
    log:
        "results/{dataset}/{protocol}/audit_fits.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        n_bootstrap=CONFIG.statistics.n_bootstrap,
        tell=CONFIG.statistics.control_skill == "tell",
        code=audit_code,
    script:
        "../scripts/audit_fits.py"


rule score_predictions:
    input:
        predictions=predictions_of,
        audit=rules.audit_fits.output.sheet,
    output:
        scores="results/{dataset}/{protocol}/scores.csv",
    log:
        "results/{dataset}/{protocol}/score_predictions.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        code=fingerprint("himoe.evaluate.score"),
    script:
        "../scripts/score_predictions.py"


rule gather_scores:
    input:
        expand(
            rules.score_predictions.output.scores,
            dataset=CONFIG.datasets,
            protocol=CONFIG.protocols,
        ),
    output:
        scores="results/scores.csv",
    log:
        "results/logs/gather_scores.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        code=fingerprint("himoe.evaluate.score"),
    script:
        "../scripts/gather_scores.py"
