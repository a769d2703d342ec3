# Contract: results/{dataset}/subjects/{subject}.npz, .json -> results/{dataset}-{feature set}/subjects/{subject}.npz, .json: the
# tokens and quality of some modalities, cut from those of all. From there on a feature set is a data set like any other.


rule cut_feature_set:
    input:
        tokens=whole_subject("npz"),
        quality=whole_subject("json"),
    output:
        tokens="results/{dataset}/subjects/{subject}.npz",
        quality="results/{dataset}/subjects/{subject}.json",
    log:
        "results/{dataset}/logs/cut_{subject}.log",
    wildcard_constraints:
        dataset=FEATURE_SETS,
    conda:
        "../../envs/himoe.yaml"
    params:
        modalities=ask(CONFIG.modalities_of, "dataset"),
        code=script_code("cut_feature_set"),
    script:
        "../scripts/cut_feature_set.py"
