"""Hi-MoE against every other model, paired over people: mean difference with a 95% interval over people and seeds, t test with
Holm's correction over the models of a data set and target, and the difference that this design sees with a chance of 80%.
Skill is of the sums of squared errors over people, so that one person whose ratings hardly vary does not decide it. Mean
ranks are over people, by CCC, 1 the best, of the models that could be used on a new person; Friedman's test asks whether
they differ at all, and two that are closer than the critical difference (Nemenyi) are not told apart (Demšar 2006)."""

import pandas as pd

from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import intervals, number, p_value
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.levels import CLEAN, levels
from himoe.stats.paired import compare
from himoe.stats.ranks import rank_models

TITLE = "Hi-MoE against each model, paired over subjects"
SECTION = "comparison"
NEEDS = ("scores",)
REQUIRES = {"models": "himoe"}


def make(evidence: Evidence) -> TableItem:
    """One row per data set, target and other model, on CCC and skill."""
    frames = [compare(evidence.scores, metric, evidence.settings) for metric in ("ccc", "skill")]
    data = pd.concat(frames, ignore_index=True)
    ranked, notes = _ranks(evidence)
    data = data.merge(ranked, how="left", on=["setting", "target", "other", "metric"], validate="one_to_one")
    by_ccc = pick(data, metric="ccc")
    shown = pd.DataFrame({
        "data set": by_ccc["setting"].map(setting_title), "target": by_ccc["target"],
        "against": by_ccc["other"].map(model_title),
        "CCC difference [95% CI]": intervals(by_ccc[["difference", "low", "high"]].to_numpy()),
        "p (Holm)": by_ccc["p_holm"].map(p_value),
        "seen with 80% power": by_ccc["detectable"].map(number),
        "its mean rank": by_ccc["other_rank"].map(lambda r: number(r, 1)), "n": by_ccc["n_subjects"],
    })  # fmt: skip
    judged = pick(by_ccc, setting=evidence.judged, other=evidence.config.rivals)
    ahead = int((judged["low"] > 0).sum())
    failed = int(judged["difference"].isna().sum())
    finding = f"Hi-MoE's CCC is above a rival's with an interval above 0 in {ahead} of {len(judged) - failed} comparisons"
    finding += f", and below it in {int((judged['high'] < 0).sum())}"
    finding += f"; {failed} could not be made because a fold diverged." if failed else "."
    return TableItem(data, shown, finding, "\n".join([*notes, "Skill and Cohen's d are in the CSV."]))


def _ranks(evidence: Evidence) -> tuple[pd.DataFrame, list[str]]:
    """Mean ranks by CCC of Hi-MoE (``rank``) and of each rival (``other_rank``), Friedman's p and the critical difference, and
    the same in words; only where people are kept apart."""
    names = ["setting", "target", "other", "metric", "rank", "other_rank", "friedman_p", "critical_difference"]
    rows, notes = [], []
    scores = pick(evidence.scores, condition=CLEAN, setting=evidence.judged, model=[STUDIED, *evidence.config.rivals])
    for (setting, target), part in scores.groupby(["setting", "target"], sort=True):
        ranked = rank_models(levels(part))
        if ranked is None or STUDIED not in ranked.mean:
            continue
        mean, failed, of = ranked
        rows += [[setting, target, m, "ccc", mean[STUDIED], mean[m], of.p, of.critical] for m in mean if m != STUDIED]
        notes.append(
            f"{setting_title(str(setting))}, {target}: Hi-MoE's mean rank {number(mean[STUDIED], 1)} of {len(mean)}; "
            f"Friedman p {p_value(of.p)}; critical difference {number(of.critical, 1)}"
            + (f"; without {', '.join(map(model_title, failed))}, of which a fold diverged" if failed else "")
            + ("; the luck of shared training is in none of these" if evidence.has_few_seeds(str(setting)) else "")
            + "."
        )
    return pd.DataFrame(rows, columns=names), notes
