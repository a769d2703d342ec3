# Contract: what figures and tables may ask for (their NEEDS, by the names in EVIDENCE), and the functions by which their rules
# name it; no rule stands here and no file is read.
def evidence_of(kind, name):
    return {need: EVIDENCE[need] for need in registry.peek(kind, name)["NEEDS"]}


def figure_evidence(wildcards):
    return evidence_of("figures", wildcards.figure)


def table_evidence(wildcards):
    return evidence_of("tables", wildcards.table)


def figure_code(wildcards):
    return plugin_code(
        "figures", wildcards.figure, "himoe.report.style", "himoe.report.items"
    )


def table_code(wildcards):
    return plugin_code("tables", wildcards.table, "himoe.report.items")


def possible(kind, items):
    """Items this run contains what it takes to make; the report shows a card in the place of the others."""
    return [item for item in items if not lacking(kind, item, CONFIG)]


def figure_caption(wildcards):
    return registry.peek("figures", wildcards.figure)["doc"]


def table_caption(wildcards):
    return registry.peek("tables", wildcards.table)["doc"]


def figure_section(wildcards):
    return section_of("figures", wildcards.figure)


def table_section(wildcards):
    return section_of("tables", wildcards.table)


def section_of(kind, name):
    """Where Snakemake's own report shows it: the section of ours, numbered so that both have the same order."""
    key = registry.peek(kind, name)["SECTION"]
    return f"{list(registry.SECTIONS).index(key) + 1} {registry.SECTIONS[key]}"


def figure_labels(wildcards):
    return labels(registry.peek("figures", wildcards.figure)["TITLE"], "figure")


def table_labels(wildcards):
    return labels(registry.peek("tables", wildcards.table)["TITLE"], "table")


def labels(title, kind):
    """What Snakemake's report shows of an item; a run on simulated data says so beside each."""
    simulated = any(registry.is_synthetic(d) for d in CONFIG.datasets)
    return {
        "result": title,
        "kind": kind,
        "data": "SYNTHETIC" if simulated else "recorded",
    }


# What of the config is shown: where data stand is nobody else's business.
SHOWN = section(CONFIG, "data_root")
EVIDENCE = {
    "scores": ["results/tables/scores.csv"],
    "predictions": fits(f"{FIT}/predictions.parquet"),
    "routing": fits(f"{FIT}/routing.parquet"),
    "runs": fits(f"{FIT}/run.json"),
    "cards": expand("results/{dataset}/card.json", dataset=CONFIG.datasets),
    "audits": expand(
        "results/{dataset}/{protocol}/audit.json",
        dataset=CONFIG.datasets,
        protocol=CONFIG.protocols,
    ),
    "truths": [
        f"results/{d}/truth.json" for d in filter(registry.is_planted, CONFIG.datasets)
    ],
    "studies": ["config/studies.yaml"],
    "claims": ["config/claims.yaml"],
    "reported": ["config/reported.yaml"],
    "checklist": [
        "config/checklist.yaml",
        *(
            os.path.relpath(registry.ROOT.parent / name)
            for name in ("CITATION.cff", "envs/requirements.lock")
        ),
    ],
}
