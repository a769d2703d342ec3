# Contract: tokens + splits -> results/{dataset}/{protocol}/{model}/seed-{seed}/shard-{shard}/ with weights.safetensors and run.json.
# Each fold is given its training and inner-validation rows, and no others. What a fit is travels as one record (himoe/config/spec.py);
# how it is executed (config: execution) reaches the script through the config, for it is no part of what a fit is.


rule fit_model:
    input:
        tokens=every_subject("npz"),
        splits=rules.make_splits.output.splits,
        recordings=samples_of,
        # sealed in the run record as they stand when a fit begins; an edit fits nothing anew and shows in the report
        hypotheses=[ancient(by_hand(f"{name}.yaml")) for name in ("claims", "studies")],
    output:
        weights=f"{FIT}/weights.safetensors",
        record=f"{FIT}/run.json",
    log:
        f"{FIT}/fit_model.log",
    conda:
        "../../envs/himoe.yaml"
    threads: CONFIG.execution.threads
    resources:
        gpu=gpus_of,
    params:
        spec=spec_of,
        code=ask(fit_code, "model"),
        versions=versions("torch", "scikit-learn", "scipy"),
    script:
        "../scripts/fit_model.py"
