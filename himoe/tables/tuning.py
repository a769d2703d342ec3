"""Ledger of the search: every model with something to choose was given the same number of configurations, the one in the config
and random ones of its space; each fold chose by the CCC of its own inner validation, before anything was tested."""

import pandas as pd

from himoe.report.evidence import Evidence
from himoe.report.items import Made
from himoe.report.text import number
from himoe.report.titles import model_title, setting_title

TITLE = "Configurations tried"
SECTION = "run"
NEEDS = ("runs",)
COLUMNS = ["setting", "model", "seed", "fold", "number", "changes", "valid_ccc", "best_epoch", "chosen"]


def make(evidence: Evidence) -> Made:
    """One row per data set, model and configuration; folds and seeds one by one are in the CSV."""
    rows = []
    for run in evidence.runs:
        for fold, told in run["folds"].items():
            for n, tried in enumerate(told["tried"]):
                words = (
                    ", ".join(f"{k.removeprefix('training.')} {v:g}" for k, v in tried["changes"].items()) or "as configured"
                )
                own = (run["setting"], run["model"], run["seed"], int(fold), n, words, tried["valid_ccc"])
                rows.append([*own, tried.get("best_epoch", 0), tried["changes"] == told["chosen"]])
    data = pd.DataFrame(rows, columns=COLUMNS)
    several = data[data.groupby(["setting", "model"])["number"].transform("max") > 0]
    by = several.groupby(["setting", "model", "number", "changes"], sort=False, as_index=False)
    own = by.agg(valid_ccc=("valid_ccc", "mean"), won=("chosen", "sum"), n=("chosen", "size"))
    shown = pd.DataFrame({
        "data set": own["setting"].map(setting_title), "model": own["model"].map(model_title), "configuration": own["changes"],
        "validation CCC": own["valid_ccc"].map(number),
        "chosen by": [f"{won} of {n} folds" for won, n in zip(own["won"], own["n"], strict=True)],
    })  # fmt: skip
    moved = int((several["chosen"] & (several["number"] > 0)).sum())
    folds = int((several["number"] == 0).sum())
    alt = f"{moved} of {folds} fits of a fold chose another configuration than the one in the config."
    note = "" if len(several) else "One configuration each: nothing was searched (tuning.configurations)."
    return Made(data, shown, alt if len(several) else "Nothing was searched.", note)
