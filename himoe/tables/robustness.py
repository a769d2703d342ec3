"""What each model is left with under a condition: its CCC, mean over the severities beyond the mildest, and which share that
is of its CCC at the mildest. Read both: a model without skill keeps all of nothing, and one that begins higher may lose more
and be ahead still. Paired over people, targets averaged; intervals are 95% over people and seeds, of Hi-MoE minus the other
model."""

import pandas as pd

from himoe import registry
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import FAILED, MISSING, intervals, number
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.robustness import robustness

TITLE = "Robustness to missing and shifted input"
SECTION = "missing"
NEEDS = ("scores",)


def make(evidence: Evidence) -> TableItem:
    """One row per data set, condition and model."""
    data = robustness(evidence.scores)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title),
        "condition": data["condition"].map(_title),
        "model": data["model"].map(model_title), "CCC, mildest": data["start"].map(number),
        "CCC left": data["left"].map(number).where(data["left"].notna(), FAILED),
        "kept": data["kept"].map(lambda share: MISSING if share != share else f"{share:.0%}"),
        "CCC left, Hi-MoE minus model [95% CI]": intervals(data[["difference", "low", "high"]].to_numpy(), MISSING),
        "n": data["n_subjects"],
    })  # fmt: skip
    levels = [
        f"{setting_title(r.setting)}, {_title(r.condition)}: Hi-MoE {'failed' if r.left != r.left else _kept(r.left, r.start)}."
        for r in pick(data, model=STUDIED).itertuples()
    ]
    finding = " ".join(levels) or "Hi-MoE is not in this run."
    return TableItem(data, shown, finding, "Differences of the share kept, with intervals, are in the CSV.")


def _title(condition: str) -> str:
    return registry.peek("conditions", condition)["TITLE"]


def _kept(left: float, start: float) -> str:
    return f"is left with CCC {number(left)} of {number(start)}"
