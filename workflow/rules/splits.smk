# Contract: results/{dataset}/subjects/*.npz -> results/{dataset}/splits/{protocol}.csv (fold, part, subject, trial, stimulus, digest).
# The only place where folds are decided; disjointness is asserted here and again wherever a fold is used.


rule make_splits:
    input:
        manifest=manifest_of,
        tokens=every_subject("npz"),
    output:
        splits="results/{dataset}/splits/{protocol}.csv",
    log:
        "results/{dataset}/logs/make_splits_{protocol}.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        settings=ask(CONFIG.split_settings, "protocol"),
        window=ask(CONFIG.window_of, "protocol"),
        code=script_code("make_splits"),
    script:
        "../scripts/make_splits.py"
