# Contract: evidence (scores, predictions, routing, run records, data cards, audits, hand-written YAML) -> tables/{table}.csv and
# .json, figures/{figure}.svg (page and phone, light and dark), .png, .pdf, .csv and .json -> results/report.html and results.json.
# A figure or table is made from what its NEEDS names in EVIDENCE; one with PER = "conditions" is drawn once for each condition.
SHOWN = section(CONFIG, "data_root", "compare")  # where these are is nobody's business
EVIDENCE = {
    "scores": [rules.score_predictions.output.scores],
    "predictions": fits(f"{FIT}/predictions.parquet"),
    "routing": fits(f"{FIT}/routing.parquet"),
    "across": [
        file
        for d, other, p, models in tested_across(CONFIG)
        for file in fits(f"{FIT}/across/{other}.parquet", [d], [p], models)
    ],
    "runs": fits(f"{FIT}/run.json"),
    "cards": expand("results/{dataset}/card.json", dataset=CONFIG.datasets),
    "audits": of_settings(rules.audit_fits.output.sheet),
    "splits": of_settings(rules.make_splits.output.splits),
    "truths": [
        f"results/{d}/truth.json" for d in filter(registry.is_planted, CONFIG.datasets)
    ],
    **{name: [by_hand(f"{name}.yaml")] for name in ("claims", "reported", "studies")},
    "checklist": [
        by_hand("checklist.yaml"),
        *(str(REPOSITORY / f) for f in ("CITATION.cff", "envs/requirements.lock")),
    ],
}
MADE = [*possible(CONFIG, "tables"), *possible(CONFIG, "figures")]


rule draw_figure:
    input:
        unpack(evidence_of),
    output:
        svg=report(
            "results/figures/{figure}.svg",
            caption="../../report/captions/item.rst",
            category=entry("category"),
            labels=labels_of,
        ),
        dark="results/figures/{figure}.dark.svg",
        phone="results/figures/{figure}.phone.svg",
        phone_dark="results/figures/{figure}.phone.dark.svg",
        png="results/figures/{figure}.png",
        pdf="results/figures/{figure}.pdf",
        csv="results/figures/{figure}.csv",
        item="results/figures/{figure}.json",
    log:
        "results/logs/draw_{figure}.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        config=SHOWN,
        caption=entry("caption"),
        code=entry("code"),
    script:
        "../scripts/draw_figure.py"


use rule draw_figure as draw_condition_figure with:
    output:
        svg=report(
            "results/figures/{figure}/{condition}.svg",
            caption="../../report/captions/item.rst",
            category=entry("category"),
            labels=labels_of,
        ),
        dark="results/figures/{figure}/{condition}.dark.svg",
        phone="results/figures/{figure}/{condition}.phone.svg",
        phone_dark="results/figures/{figure}/{condition}.phone.dark.svg",
        png="results/figures/{figure}/{condition}.png",
        pdf="results/figures/{figure}/{condition}.pdf",
        csv="results/figures/{figure}/{condition}.csv",
        item="results/figures/{figure}/{condition}.json",
    log:
        "results/logs/draw_{figure}_{condition}.log",
    wildcard_constraints:
        condition="[A-Za-z0-9_]+",


rule write_table:
    input:
        unpack(evidence_of),
    output:
        csv=report(
            "results/tables/{table}.csv",
            caption="../../report/captions/item.rst",
            category=entry("category"),
            labels=labels_of,
        ),
        item="results/tables/{table}.json",
    log:
        "results/logs/write_{table}.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        config=SHOWN,
        caption=entry("caption"),
        code=entry("code"),
    script:
        "../scripts/write_table.py"


rule render_report:
    input:
        records=[f"results/{e.stem}.json" for e in MADE],
        files=[f"results/{e.stem}.{s}" for e in MADE for s in e.suffixes[:-1]],
        runs=EVIDENCE["runs"],
        cards=EVIDENCE["cards"],
        audits=EVIDENCE["audits"],
        lock=str(REPOSITORY / "envs/requirements.lock"),
        citation=str(REPOSITORY / "CITATION.cff"),
        schema=str(REPOSITORY / "report/results.schema.json"),
        compare=[CONFIG.compare] if CONFIG.compare else [],
        templates=sorted(map(str, (REPOSITORY / "report/templates").iterdir())),
        static=sorted(map(str, (REPOSITORY / "report/static").iterdir())),
    output:
        html=report(  # the last good one stays where a new one cannot be made
            update("results/report.html"),
            caption="../../report/captions/page.rst",
            category="00 The report",
            labels=labels("The report, one page", "page", CONFIG),
        ),
        json=update("results/results.json"),
    log:
        "results/logs/render_report.log",
    conda:
        "../../envs/himoe.yaml"
    params:
        config=SHOWN,
        config_files=list(map(str, workflow.configfiles)),
        code=page_code,
    script:
        "../scripts/render_report.py"


onstart:
    if taken := files.hold(Path("results")):
        raise WorkflowError(f"himoe: {taken}")
    if not workflow.local_exec and shutil.which("squeue"):
        cluster.watch()


onsuccess:
    if os.path.exists(rules.render_report.output.html):
        print("himoe: the report is at", os.path.abspath("results/report.html"))


onerror:
    print("himoe: not finished; the same command goes on where this one stopped")
