"""Ledger of the search: every model with something to choose was given the same number of configurations, the one in the config
and random ones of its space; each fold chose by the CCC of its own inner validation, before anything was tested."""

import pandas as pd

from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import number
from himoe.report.titles import model_title, setting_title

TITLE = "Configurations tried"
SECTION = "appendix"
NEEDS = ("runs",)
COLUMNS = ["setting", "model", "seed", "fold", "number", "changes", "valid_ccc", "best_epoch", "chosen"]


def make(evidence: Evidence) -> TableItem:
    """One row per data set, model and configuration; folds and seeds one by one are in the CSV."""
    rows = []
    for run in evidence.runs:
        for fold, record in run["folds"].items():
            for n, tried in enumerate(record["tried"]):
                changes = [f"{key.removeprefix('training.')} {value:g}" for key, value in tried["changes"].items()]
                key = [run["setting"], run["model"], run["seed"], int(fold), n, ", ".join(changes) or "as configured"]
                chosen = tried["changes"] == record["chosen"]
                rows.append([*key, tried["valid_ccc"], tried.get("best_epoch", 0), chosen])
    data = pd.DataFrame(rows, columns=COLUMNS)
    searched = data[data.groupby(["setting", "model"])["number"].transform("max") > 0]
    groups = searched.groupby(["setting", "model", "number", "changes"], sort=False, as_index=False)
    means = groups.agg(valid_ccc=("valid_ccc", "mean"), won=("chosen", "sum"), n=("chosen", "size"))
    shown = pd.DataFrame({
        "data set": means["setting"].map(setting_title), "model": means["model"].map(model_title),
        "configuration": means["changes"], "validation CCC": means["valid_ccc"].map(number),
        "chosen by": [f"{won} of {n} folds" for won, n in zip(means["won"], means["n"], strict=True)],
    })  # fmt: skip
    if searched.empty:
        note = "One configuration each: nothing was searched (tuning.configurations)."
        return TableItem(data, shown, "Nothing was searched.", note)
    moved = int((searched["chosen"] & (searched["number"] > 0)).sum())
    folds = int((searched["number"] == 0).sum())
    return TableItem(data, shown, f"{moved} of {folds} fits of a fold chose another configuration than the one in the config.")
