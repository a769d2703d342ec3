# Contract: tokens + splits -> results/{dataset}/{protocol}/{model}/seed-{seed}/shard-{shard}/ with weights.safetensors and
# run.json (fit_model: training and inner-validation subjects only), then predictions.parquet and routing.parquet
# (predict: the only rule that reads test rows).
rule fit_model:
    input:
        tokens=every_subject("npz"),
        splits=rules.make_splits.output.splits,
        recordings=samples_of,
    output:
        weights=f"{FIT}/weights.safetensors",
        record=f"{FIT}/run.json",
    log:
        f"{FIT}/fit_model.log",
    conda:
        "../../envs/himoe.yaml"
    threads: CONFIG.training.threads
    resources:
        gpu=gpus_of,
        checkpoint_seconds=CONFIG.training.checkpoint_seconds,  # no params: they do not change a fit
        tensorboard=int(CONFIG.training.tensorboard),
    params:
        options=options_of,
        settings=training_of,
        tuning=section(CONFIG.tuning),
        view=view_of,
        code=fit_code,
        versions=versions("torch", "scikit-learn", "scipy"),
    script:
        "../scripts/fit_model.py"


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
    threads: CONFIG.training.threads
    resources:
        gpu=gpus_of,
    params:
        options=options_of,
        settings=predicting_of,
        view=view_of,
        conditions=conditions_of,
        condition_seed=CONFIG.condition_seed,
        code=predict_code,
        versions=versions("torch"),
    script:
        "../scripts/predict.py"
