# Contract: weights + tokens + splits -> {fit}/predictions.parquet and routing.parquet (predict: no other rule gives test rows to a model;
# across/{other}.parquet: those of another data set, for the table transfer alone);
# all that was fitted under a protocol -> results/{dataset}/{protocol}/audit.json (fails where a test row was known: then nothing
# is scored); predictions of every model, and which trial was which stimulus -> results/scores.csv (ceilings among them; tidy: dataset,
# protocol, model, seed, subject, condition, severity, target, metric, value, n). A new metric never retrains.


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
        conditions=ask(CONFIG.conditions_of, "dataset", "protocol", "model"),
        condition_seed=CONFIG.condition_seed,
        code=code_of_prediction,
        versions=versions("torch"),
    script:
        "../scripts/predict.py"


rule predict_across:
    input:
        own=every_subject("npz"),  # one of them says what features a fit reads
        tokens=ask(subject_files("npz"), "other"),
        splits=rules.make_splits.output.splits,
        weights=rules.fit_model.output.weights,
        record=rules.fit_model.output.record,
        audit="results/{dataset}/{protocol}/audit.json",
    output:
        predictions=f"{FIT}/across/{{other}}.parquet",
    log:
        f"{FIT}/across/{{other}}.log",
    conda:
        "../../envs/himoe.yaml"
    threads: CONFIG.execution.threads
    resources:
        gpu=gpus_of,
    params:
        spec=spec_of,
        scales=scales_of,
        code=code_across,
        versions=versions("torch"),
    script:
        "../scripts/predict_across.py"


rule audit_fits:
    input:
        tokens=every_subject("npz"),
        splits=rules.make_splits.output.splits,
        records=of_fits("run.json"),
        weights=of_fits("weights.safetensors"),
        predictions=of_fits("predictions.parquet"),
    output:
        sheet="results/{dataset}/{protocol}/audit.json",
    log:
        "results/{dataset}/{protocol}/audit_fits.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        tell=CONFIG.statistics.control_skill == "tell",
        normalisation=ask(CONFIG.normalisation_of, "dataset"),
        code=audit_code(CONFIG.controls),
    script:
        "../scripts/audit_fits.py"


rule score_predictions:
    input:
        splits=of_settings(rules.make_splits.output.splits),
        predictions=fits(f"{FIT}/predictions.parquet"),
        audits=of_settings(rules.audit_fits.output.sheet),
    output:
        scores="results/scores.csv",
    log:
        "results/logs/score_predictions.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        code=script_code("score_predictions"),
    script:
        "../scripts/score_predictions.py"
