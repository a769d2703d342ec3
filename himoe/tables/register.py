"""Every setting of the run and of each model with its source: the paper's abstract, a cited work, or a decision of ours.
What is ours is what a reader should question first."""

import pandas as pd

from himoe.config.sections import walk
from himoe.report.evidence import Evidence
from himoe.report.items import Made

TITLE = "Decision register"
SECTION = "run"
NEEDS = ("runs",)
RESULTS = False


def make(evidence: Evidence) -> Made:
    """One row per setting."""
    rows = [row for row in walk(evidence.config) if row[0] != "data_root"]  # where data stand decides nothing
    seen = set()
    for run in evidence.runs:
        if run["model"] not in seen:
            seen.add(run["model"])
            rows += [(f"{run['model']}.{key}", value, what, source) for key, value, what, source in run["model_config"]]
    data = pd.DataFrame(rows, columns=["setting", "value", "meaning", "source"])
    data["value"] = data["value"].map(str)
    ours = int(data["source"].str.startswith("ours").sum())
    return Made(data, data[["setting", "value", "meaning", "source"]], f"{ours} of {len(data)} settings are decisions of ours.")
