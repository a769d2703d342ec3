# Contract: predictions of every model -> results/{dataset}/{protocol}/scores.csv -> results/tables/scores.csv (tidy: dataset,
# protocol, model, seed, subject, condition, severity, target, metric, value, n). A new metric never retrains.


rule score_predictions:
    input:
        predictions_of,
    output:
        scores="results/{dataset}/{protocol}/scores.csv",
    log:
        "results/{dataset}/{protocol}/score_predictions.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        code=fingerprint("himoe.score"),
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
        scores="results/tables/scores.csv",
    log:
        "results/logs/gather_scores.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        code=fingerprint("himoe.score"),
    script:
        "../scripts/gather_scores.py"
