"""Hi-MoE against every rival once more, over folds instead of people: one difference in CCC per set of people tested together,
seeds averaged first, by the t test of Nadeau & Bengio (2003), whose variance s^2 (1 / J + n_test / n_train) allows for
training sets that overlap. It stands beside the interval over people and seeds, which the verdicts are made of and which knows
nothing of overlap, nor of the luck that people of a fold share with one seed. It assumes that any two folds are correlated by
n_test / (n_test + n_train), whatever the data: a rule of thumb, and a cautious one; under leave-one-subject-out it about
doubles the variance. Seeds repeat no fold here, all have the same ones, so that they add nothing to J. People are counted, in
training those of validation too. Clean input, one comparison at a time but for Holm's correction of p over the rivals."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import FAILED, MISSING, intervals, number, p_value
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.inference import holm, mean_of
from himoe.stats.levels import CLEAN
from himoe.stats.paired import compare
from himoe.stats.resampled import corrected_t
from himoe.types import Split

TITLE = "Over folds, corrected for shared training"
SECTION = "trust"
NEEDS = ("scores", "splits")
REQUIRES = {"models": "himoe"}
COLUMNS = ["setting", "target", "other", "difference", "low", "high", "over_folds", "folds_low", "folds_high", "t", "p"]


class Groups(NamedTuple):
    """Which people are tested together (subject -> number of the group), and people tested per person trained on."""

    of: dict[str, int]
    ratio: float


def make(evidence: Evidence) -> TableItem:
    """One row per data set, target and rival."""
    settings, parts = evidence.judged, []
    rivals = [STUDIED, *evidence.config.rivals]
    of_people = compare(pick(evidence.scores, model=rivals), "ccc", settings)
    for (setting, target), rows in of_people.groupby(["setting", "target"], sort=True):
        groups = groups_of(evidence.folds[str(setting)])
        scores = pick(evidence.scores, setting=setting, target=target, condition=CLEAN, metric="ccc")
        values = mean_of(pick(scores, model=rivals), ["model", "subject"])
        wide = values.pivot(index="subject", columns="model", values="value")
        group = wide.index.map(groups.of).to_numpy()
        gaps = [(wide[STUDIED] - wide[other]).to_numpy() for other in rows["other"]]  # one per person
        found = [corrected_t(np.array([gap[group == g].mean() for g in np.unique(group)]), groups.ratio) for gap in gaps]
        made = pd.DataFrame(found, columns=["over_folds", "folds_low", "folds_high", "t", "p"], index=rows.index)
        made["p_holm"] = holm(made["p"].tolist())
        kept = rows[["setting", "target", "other", "difference", "low", "high"]]
        parts.append(pd.concat([kept, made], axis=1).assign(n_folds=len(np.unique(group)), ratio=groups.ratio))
    data = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*COLUMNS, "p_holm", "n_folds", "ratio"])
    return TableItem(data, _shown(data), _finding(data))


def groups_of(folds: list[Split]) -> Groups:
    """Of the people of a data set; under a protocol that crosses people with clips a group is tested in several folds."""
    tested: dict[str, list[int]] = {}
    for fold in folds:
        for subject in sorted({s for s, _ in fold.test}):
            tested.setdefault(subject, []).append(fold.fold)
    sets = sorted(set(map(tuple, tested.values())))
    others = [len({s for s, _ in [*f.train, *f.valid]}) for f in folds]
    ratios = [len({s for s, _ in f.test}) / n for f, n in zip(folds, others, strict=True)]
    return Groups({s: sets.index(tuple(numbers)) for s, numbers in tested.items()}, float(np.mean(ratios)))


def _shown(data: pd.DataFrame) -> pd.DataFrame:
    folds = intervals(data[["over_folds", "folds_low", "folds_high"]].to_numpy(float), FAILED)
    return pd.DataFrame({
        "data set": data["setting"].map(setting_title), "target": data["target"], "against": data["other"].map(model_title),
        "over people and seeds [95% CI]": intervals(data[["difference", "low", "high"]].to_numpy(float), FAILED),
        "over folds, corrected [95% CI]": folds,
        "its p (Holm)": data["p_holm"].map(lambda p: MISSING if p != p else p_value(p)),
        "J": data["n_folds"], "n_test / n_train": data["ratio"].map(number),
    })  # fmt: skip


def _finding(data: pd.DataFrame) -> str:
    made = data.dropna(subset=["low", "folds_low"])
    if made.empty:
        return "No comparison could be made over folds."
    people, folds = made["low"] > 0, made["folds_low"] > 0
    behind = f"; below 0: {int((made['high'] < 0).sum())} and {int((made['folds_high'] < 0).sum())}"
    return (
        f"Of {len(made)} differences {int(people.sum())} have an interval above 0 over people and {int(folds.sum())} over "
        f"folds, {int((people & folds).sum())} of them over both{behind}."
    )
