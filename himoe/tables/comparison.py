"""Hi-MoE against every other model, paired over people: mean difference with a 95% interval over people and seeds, t test with
Holm's correction over the models of a data set and target, Cohen's d of people, and the difference that this design sees with a
chance of 80%. Skill is of the sums of squared errors over people, so that one person whose ratings hardly vary does not decide
it."""

import pandas as pd

from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import intervals, number, p_value
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.paired import compare

TITLE = "Hi-MoE against each model, paired over subjects"
SECTION = "comparison"
NEEDS = ("scores",)
REQUIRES = {"models": "himoe"}


def make(evidence: Evidence) -> TableItem:
    """One row per data set, target and other model, on CCC and skill."""
    frames = [compare(evidence.scores, metric, evidence.settings) for metric in ("ccc", "skill")]
    data = pd.concat(frames, ignore_index=True)
    by_ccc = pick(data, metric="ccc")
    shown = pd.DataFrame({
        "data set": by_ccc["setting"].map(setting_title), "target": by_ccc["target"],
        "against": by_ccc["other"].map(model_title),
        "CCC difference [95% CI]": intervals(by_ccc[["difference", "low", "high"]].to_numpy()),
        "p (Holm)": by_ccc["p_holm"].map(p_value), "d": by_ccc["d"].map(lambda v: number(v, 2)),
        "seen with 80% power": by_ccc["detectable"].map(number), "n": by_ccc["n_subjects"],
    })  # fmt: skip
    ahead = int((by_ccc["low"] > 0).sum())
    failed = int(by_ccc["difference"].isna().sum())
    finding = (
        f"Hi-MoE's CCC is above the other model's with an interval above 0 in {ahead} of {len(by_ccc) - failed} comparisons"
    )
    finding += f"; {failed} could not be made because a fold diverged." if failed else "."
    return TableItem(data, shown, finding, "Skill is in the CSV.")
