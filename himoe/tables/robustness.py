"""What each model loses: the mean drop of CCC from the mildest severity, over the tested range of a condition (area between
the curve and its start, divided by the range; smaller is better, negative means a gain). Paired over subjects, targets
averaged; the interval is of Hi-MoE's loss minus the other model's, so below 0 Hi-MoE is the more robust."""

import numpy as np
import pandas as pd

from himoe import registry
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import Made
from himoe.report.text import FAILED, interval, number
from himoe.report.titles import model_title, setting_title
from himoe.stats.robustness import areas, compare_areas

TITLE = "Robustness to missing and shifted input"
SECTION = "robustness"
NEEDS = ("scores",)


def make(evidence: Evidence) -> Made:
    """One row per data set, condition and model."""
    config = evidence.config
    lost = areas(evidence.scores)
    data = compare_areas(lost, config.statistics)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title),
        "condition": data["condition"].map(lambda c: registry.peek("conditions", c)["TITLE"]),
        "model": data["model"].map(model_title), "CCC, mildest": data["start"].map(number),
        "mean CCC lost": [FAILED if v != v else number(v) for v in data["lost"]],
        "Hi-MoE minus model [95% CI]": [
            "–" if m == STUDIED else interval(*v)  # no difference where either failed
            for m, v in zip(data["model"], data[["difference", "low", "high"]].to_numpy(), strict=True)
        ],
        "n": data["n_subjects"],
    })  # fmt: skip
    told = [
        f"{setting_title(r.setting)}, {r.condition}: Hi-MoE " + ("failed" if np.isnan(r.lost) else f"loses {number(r.lost)}")
        for r in data[data["model"] == STUDIED].itertuples()
    ]
    return Made(
        data,
        shown,
        ("; ".join(told) or "Hi-MoE is not in this run") + ".",
        "A model without skill has nothing to lose: read this beside the main comparison.",
    )
