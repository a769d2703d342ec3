# Contract: scores, predictions, routing, run records and data cards -> results/tables/{table}.csv + .json,
# results/figures/{figure}.svg (light and dark) + .png + .csv + .json -> results/report.html and results/results.json.
rule draw_figure:
    input:
        unpack(figure_evidence),
    output:
        svg=report(
            "results/figures/{figure}.svg",
            caption="../../report/captions/item.rst",
            category=figure_section,
            labels=figure_labels,
        ),
        dark="results/figures/{figure}.dark.svg",
        png="results/figures/{figure}.png",
        csv="results/figures/{figure}.csv",
        item="results/figures/{figure}.json",
    log:
        "results/logs/draw_{figure}.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        config=SHOWN,
        caption=figure_caption,
        code=figure_code,
    script:
        "../scripts/draw_figure.py"


rule write_table:
    input:
        unpack(table_evidence),
    output:
        csv=report(
            "results/tables/{table}.csv",
            caption="../../report/captions/item.rst",
            category=table_section,
            labels=table_labels,
        ),
        item="results/tables/{table}.json",
    log:
        "results/logs/write_{table}.log",
    wildcard_constraints:
        table=r"(?!scores\.)[A-Za-z0-9_]+",
    conda:
        "../../envs/himoe.yaml"
    params:
        config=SHOWN,
        caption=table_caption,
        code=table_code,
    script:
        "../scripts/write_table.py"


rule render_report:
    input:
        figures=expand(
            rules.draw_figure.output.item, figure=possible("figures", CONFIG.figures)
        ),
        tables=expand(
            rules.write_table.output.item, table=possible("tables", CONFIG.tables)
        ),
        runs=EVIDENCE["runs"],
        audits=EVIDENCE["audits"],
        templates=sorted(
            str(p) for p in (registry.ROOT.parent / "report").rglob("*") if p.is_file()
        ),
    output:
        html=report(
            "results/report.html",
            caption="../../report/captions/page.rst",
            category="0 The report",
            labels=labels("The report, one page", "page"),
        ),
        json="results/results.json",
    log:
        "results/logs/render_report.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        config=SHOWN,
        code=fingerprint("himoe.report.page"),
    script:
        "../scripts/render_report.py"
