"""Hi-MoE against every other model, paired over people: mean difference with a 95% interval over people and seeds, t test with
Holm's correction over the models of a data set and target, Cohen's d of people, and the difference that this design sees with a
chance of 80%. Skill is of the sums of squared errors over people, so that one person whose ratings hardly vary does not decide
it. Mean ranks are over people, by CCC, 1 the best, of the models that could be used on a new person; Friedman's test asks
whether they differ at all, and two that are closer than the critical difference (Nemenyi) are not told apart (Demšar 2006)."""

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import intervals, number, p_value
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.levels import CLEAN, levels
from himoe.stats.paired import compare
from himoe.stats.ranks import ranks

TITLE = "Hi-MoE against each model, paired over subjects"
SECTION = "comparison"
NEEDS = ("scores",)
REQUIRES = {"models": "himoe"}


def make(evidence: Evidence) -> TableItem:
    """One row per data set, target and other model, on CCC and skill."""
    frames = [compare(evidence.scores, metric, evidence.settings) for metric in ("ccc", "skill")]
    data = pd.concat(frames, ignore_index=True)
    data["other_rank"], notes = _ranks(evidence, data)
    by_ccc = pick(data, metric="ccc")
    shown = pd.DataFrame({
        "data set": by_ccc["setting"].map(setting_title), "target": by_ccc["target"],
        "against": by_ccc["other"].map(model_title),
        "CCC difference [95% CI]": intervals(by_ccc[["difference", "low", "high"]].to_numpy()),
        "p (Holm)": by_ccc["p_holm"].map(p_value), "d": by_ccc["d"].map(lambda v: number(v, 2)),
        "seen with 80% power": by_ccc["detectable"].map(number), "mean rank": by_ccc["other_rank"].map(lambda r: number(r, 1)),
        "n": by_ccc["n_subjects"],
    })  # fmt: skip
    ahead = int((by_ccc["low"] > 0).sum())
    failed = int(by_ccc["difference"].isna().sum())
    finding = (
        f"Hi-MoE's CCC is above the other model's with an interval above 0 in {ahead} of {len(by_ccc) - failed} comparisons"
    )
    finding += f"; {failed} could not be made because a fold diverged." if failed else "."
    return TableItem(data, shown, finding, "\n".join([*notes, "Skill is in the CSV."]))


def _ranks(evidence: Evidence, data: pd.DataFrame) -> tuple[list[float], list[str]]:
    """The other model's mean rank for each row of the comparison (NaN for references and where a fold diverged), and for each
    data set and target what Friedman's test says."""
    found: dict[tuple[str, str, str], float] = {}
    notes = []
    for (setting, target), part in pick(evidence.scores, condition=CLEAN).groupby(["setting", "target"], sort=True):
        ranked = [STUDIED, *evidence.config.rivals]
        values = {m: v.mean(1) for m, v in levels(pick(part, model=ranked)).items() if not np.isnan(v).any()}
        if STUDIED not in values or len(values) < 3:
            continue
        of = ranks(np.stack(list(values.values()), axis=1))
        found |= {(setting, target, m): float(rank) for m, rank in zip(values, of.mean, strict=True)}
        notes.append(
            f"{setting_title(str(setting))}, {target}: Hi-MoE's mean rank {number(found[setting, target, STUDIED], 1)} of "
            f"{len(values)}; Friedman p {p_value(of.p)}; critical difference {number(of.critical, 1)}."
        )
    return [found.get((r.setting, r.target, r.other), float("nan")) for r in data.itertuples()], notes
