"""Every setting of the run and of each model with its source: the paper's abstract, a cited work, or a decision of ours.
What is ours is what a reader should question first."""

import pandas as pd

from himoe.config.sections import walk
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem

TITLE = "Decision register"
SECTION = "run"
NEEDS = ("runs",)
RESULTS = False


def make(evidence: Evidence) -> TableItem:
    """One row per setting."""
    rows = [row for row in walk(evidence.config) if row[0] != "data_root"]  # where data stand decides nothing
    models: dict[str, list[list]] = {}
    for run in evidence.runs:
        models.setdefault(run["model"], run["model_config"])
    for model, settings in models.items():
        rows += [(f"{model}.{key}", value, meaning, source) for key, value, meaning, source in settings]
    data = pd.DataFrame(rows, columns=["setting", "value", "meaning", "source"])
    data["value"] = data["value"].map(str)
    ours = int(data["source"].str.startswith("ours").sum())
    return TableItem(data, data, f"{ours} of {len(data)} settings are decisions of ours.")
