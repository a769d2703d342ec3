"""Numbers of the paper beside ours, as entered in config/reported.yaml by someone who has read them there: value, table,
page. The file ships without values, because only the abstract was at hand; nothing is guessed."""

import numpy as np
import pandas as pd

from himoe.evaluate.score import per_subject
from himoe.report.evidence import Evidence
from himoe.report.items import Made
from himoe.report.text import FAILED, number
from himoe.report.titles import dataset_of, model_title, setting_title

TITLE = "Reported and replicated"
SECTION = "comparison"
NEEDS = ("scores", "reported")
REQUIRES = {"recordings": "*"}  # a number of the paper says nothing of a twin
COLUMNS = ["setting", "target", "model", "metric", "value", "table", "page", "replicated", "delta", "delta_in_sd"]


def make(evidence: Evidence) -> Made:
    """One row per reported value; ours is the mean over subjects, the last column the difference in our SD over subjects."""
    rows = []
    for told in evidence.yaml("reported")["values"]:
        own = per_subject(evidence.scores, told["metric"])
        own = own[(own["condition"] == "clean") & (own["target"] == told["target"]) & (own["model"] == told["model"])]
        for setting in [s for s in evidence.settings if dataset_of(s) == told["dataset"]]:
            values = own.loc[own["setting"] == setting, "value"]
            mean = values.mean(skipna=False)
            delta = mean - float(told["value"])
            in_sd = delta / values.std(skipna=False) if len(values) > 1 else float("nan")
            rows.append([setting, *(told[c] for c in COLUMNS[1:7]), mean, delta, in_sd])
    data = pd.DataFrame(rows, columns=COLUMNS)
    ours = [FAILED if np.isnan(v) else number(v) for v in data["replicated"].astype(float)]
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title), "target": data["target"], "model": data["model"].map(model_title),
        "metric": data["metric"], "reported": data["value"].map(number), "ours": ours,
        "difference": data["delta"].map(number), "in our SD": data["delta_in_sd"].map(number),
    })  # fmt: skip
    note = "" if rows else "No number of the paper has been read yet: config/reported.yaml holds no values."
    return Made(data, shown, f"{len(rows)} reported values.", note)
