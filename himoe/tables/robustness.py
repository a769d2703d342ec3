"""What each model loses: the mean drop of CCC from the mildest severity, over the tested range of a condition (area between
the curve and its start, divided by the range; smaller is better, negative means a gain). Paired over subjects, targets
averaged; the interval is of Hi-MoE's loss minus the other model's, so below 0 Hi-MoE is the more robust."""

import pandas as pd

from himoe import registry
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import FAILED, MISSING, intervals, number
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.robustness import areas, compare_areas

TITLE = "Robustness to missing and shifted input"
SECTION = "robustness"
NEEDS = ("scores",)


def make(evidence: Evidence) -> TableItem:
    """One row per data set, condition and model."""
    data = compare_areas(areas(evidence.scores), evidence.config.statistics)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title),
        "condition": data["condition"].map(lambda c: registry.peek("conditions", c)["TITLE"]),
        "model": data["model"].map(model_title), "CCC, mildest": data["start"].map(number),
        "mean CCC lost": data["lost"].map(number).where(data["lost"].notna(), FAILED),
        "Hi-MoE minus model [95% CI]": intervals(data[["difference", "low", "high"]].to_numpy(), MISSING),
        "n": data["n_subjects"],
    })  # fmt: skip
    losses = [
        f"{setting_title(r.setting)}, {r.condition}: Hi-MoE {'failed' if r.lost != r.lost else f'loses {number(r.lost)}'}"
        for r in pick(data, model=STUDIED).itertuples()
    ]
    finding = ("; ".join(losses) or "Hi-MoE is not in this run") + "."
    return TableItem(data, shown, finding, "A model without skill has nothing to lose: read this beside the main comparison.")
