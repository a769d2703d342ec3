# Contract: all that was fitted under a protocol -> results/{dataset}/{protocol}/audit.json (fails where a test row was known:
# then nothing is scored); predictions of every model -> results/{dataset}/{protocol}/scores.csv -> results/scores.csv (tidy: dataset,
# protocol, model, seed, subject, condition, severity, target, metric, value, n). A new metric never retrains.


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
