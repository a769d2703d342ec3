# Contract: scores, predictions, routing, run records and data cards -> results/tables/{table}.csv + .json,
# results/figures/{figure}.svg (light and dark) + .png + .csv + .json -> results/report.html and results/results.json.
EVIDENCE = {
    "scores": [rules.gather_scores.output.scores],
    "predictions": fits(f"{FIT}/predictions.parquet"),
    "routing": fits(f"{FIT}/routing.parquet"),
    "runs": fits(f"{FIT}/run.json"),
    "cards": expand(rules.describe_dataset.output.card, dataset=CONFIG.datasets),
    "claims": ["config/claims.yaml"],
    "reported": ["config/reported.yaml"],
}


def evidence_of(kind, name):
    return {need: EVIDENCE[need] for need in registry.peek(kind, name)["NEEDS"]}


def figure_evidence(wildcards):
    return evidence_of("figures", wildcards.figure)


def table_evidence(wildcards):
    return evidence_of("tables", wildcards.table)


def figure_code(wildcards):
    return plugin_code(
        "figures", wildcards.figure, "himoe.figures._paper", "himoe.items"
    )


def table_code(wildcards):
    return plugin_code("tables", wildcards.table, "himoe.items")


rule draw_figure:
    input:
        unpack(figure_evidence),
    output:
        svg="results/figures/{figure}.svg",
        dark="results/figures/{figure}.dark.svg",
        png="results/figures/{figure}.png",
        csv="results/figures/{figure}.csv",
        item="results/figures/{figure}.json",
    log:
        "results/logs/draw_{figure}.log",
    params:
        config=section(CONFIG),
        code=figure_code,
    script:
        "../scripts/draw_figure.py"


rule write_table:
    input:
        unpack(table_evidence),
    output:
        csv="results/tables/{table}.csv",
        item="results/tables/{table}.json",
    log:
        "results/logs/write_{table}.log",
    wildcard_constraints:
        table="(?!scores$)[A-Za-z0-9_]+",
    params:
        config=section(CONFIG),
        code=table_code,
    script:
        "../scripts/write_table.py"


rule render_report:
    input:
        figures=expand(rules.draw_figure.output.item, figure=CONFIG.figures),
        tables=expand(rules.write_table.output.item, table=CONFIG.tables),
        runs=EVIDENCE["runs"],
        templates=sorted(
            str(p) for p in Path(workflow.basedir, "report").rglob("*") if p.is_file()
        ),
    output:
        html="results/report.html",
        json="results/results.json",
    log:
        "results/logs/render_report.log",
    params:
        config=section(CONFIG),
        code=fingerprint("himoe.report"),
    script:
        "../scripts/render_report.py"
