"""Numbers of the paper beside ours, as entered in config/reported.yaml by someone who has read them there: value, table,
page. The file ships without values, because only the abstract was at hand; nothing is guessed."""

import pandas as pd

from himoe.evaluate.score import per_subject
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import FAILED, number
from himoe.report.titles import dataset_of, model_title, setting_title
from himoe.stats.frames import pick

TITLE = "Reported and replicated"
SECTION = "comparison"
NEEDS = ("scores", "reported")
REQUIRES = {"recordings": "*"}  # a number of the paper says nothing of a twin
ENTERED = ["target", "model", "metric", "value", "table", "page"]


def make(evidence: Evidence) -> TableItem:
    """One row per reported value; ours is the mean over subjects, the last column the difference in our SD over subjects."""
    rows = []
    for entry in evidence.yaml("reported")["values"]:
        scores = pick(
            per_subject(evidence.scores, entry["metric"]), condition="clean", target=entry["target"], model=entry["model"]
        )
        for setting in [s for s in evidence.settings if dataset_of(s) == entry["dataset"]]:
            values = pick(scores, setting=setting)["value"]
            mean = values.mean(skipna=False)
            delta = mean - float(entry["value"])
            in_sd = delta / values.std(skipna=False) if len(values) > 1 else float("nan")
            rows.append([setting, *(entry[name] for name in ENTERED), mean, delta, in_sd])
    data = pd.DataFrame(rows, columns=["setting", *ENTERED, "replicated", "delta", "delta_in_sd"])
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title), "target": data["target"], "model": data["model"].map(model_title),
        "metric": data["metric"], "reported": data["value"].map(number),
        "ours": data["replicated"].astype(float).map(number).where(data["replicated"].notna(), FAILED),
        "difference": data["delta"].map(number), "in our SD": data["delta_in_sd"].map(number),
    })  # fmt: skip
    note = "" if rows else "No number of the paper has been read yet: config/reported.yaml holds no values."
    return TableItem(data, shown, f"{len(rows)} reported values.", note)
