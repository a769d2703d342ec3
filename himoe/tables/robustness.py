"""What each model is left with under a condition: its CCC, mean over the severities beyond the mildest, and which share that
is of its CCC at the mildest. Read both: a model without skill keeps all of nothing, and one that begins higher may lose more
and be ahead still. Paired over people, targets averaged; intervals are 95% over people and seeds, of Hi-MoE minus the other
model."""

import numpy as np
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
MANY = 4  # conditions that are named


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
    of_each = pick(data, model=STUDIED).groupby("setting", sort=False)
    finding = " ".join(_finding(str(s), part) for s, part in of_each) or "Hi-MoE is not in this run."
    return TableItem(data, shown, finding, "Differences of the share kept, with intervals, are in the CSV.")


def _finding(setting: str, part: pd.DataFrame) -> str:
    """What Hi-MoE is left with under each condition or, of many, under the hardest and the mildest."""
    who, known = setting_title(setting), part.dropna(subset="left").sort_values("left", kind="stable")
    if len(part) <= MANY:
        each = [f"{_title(r.condition)}: {_left(r.left)} of {number(r.start)}" for r in part.itertuples()]
        return f"{who}, CCC of Hi-MoE under {'; '.join(each)}."
    if known.empty:
        return f"{who}: every fold of Hi-MoE failed."
    low, high = known.iloc[0], known.iloc[-1]
    ends = [f"{number(r['left'])} ({_title(r['condition'])})" for r in (low, high)]
    return f"{who}: of CCC {number(low['start'])} Hi-MoE is left with {ends[0]} to {ends[1]} under {len(part)} conditions."


def _left(value: float) -> str:
    return "failed" if np.isnan(value) else number(value)


def _title(condition: str) -> str:
    return registry.peek("conditions", condition)["TITLE"]
