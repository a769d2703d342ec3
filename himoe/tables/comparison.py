"""Hi-MoE against every other model, paired over subjects (seeds averaged first): mean difference with a 95% bootstrap
interval, Wilcoxon signed-rank test with Holm's correction over the models of a data set and target, Cohen's d, and the
smallest |d| that this number of subjects could detect with 80% power."""

import numpy as np
import pandas as pd

from himoe.report.evidence import Evidence
from himoe.report.items import Made
from himoe.report.text import FAILED, interval, number, p_value
from himoe.report.titles import model_title, setting_title
from himoe.stats.paired import compare

TITLE = "Hi-MoE against each model, paired over subjects"
SECTION = "comparison"
NEEDS = ("scores",)
REQUIRES = {"models": "himoe"}


def make(evidence: Evidence) -> Made:
    """One row per data set, target and other model, on CCC and skill."""
    config = evidence.config
    frames = [compare(evidence.scores, metric, evidence.settings, config.statistics) for metric in ("ccc", "skill")]
    data = pd.concat(frames, ignore_index=True)
    own = data[data["metric"] == "ccc"]
    shown = pd.DataFrame({
        "data set": own["setting"].map(setting_title), "target": own["target"], "against": own["other"].map(model_title),
        "CCC difference [95% CI]": [
            FAILED if np.isnan(v[0]) else interval(*v) for v in own[["difference", "low", "high"]].to_numpy()
        ],
        "p (Holm)": own["p_holm"].map(p_value), "d": own["d"].map(lambda v: number(v, 2)),
        "detectable d": own["detectable_d"].map(lambda v: number(v, 2)), "n": own["n_subjects"],
    })  # fmt: skip
    ahead = int((own["low"] > 0).sum())
    lost = int(own["difference"].isna().sum())
    alt = f"Hi-MoE's CCC is above the other model's with an interval above 0 in {ahead} of {len(own) - lost} comparisons"
    alt += f"; {lost} could not be made because a fold diverged." if lost else "."
    return Made(data, shown, alt, "Skill is in the CSV.")
