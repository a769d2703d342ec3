"""The same models on the same recordings under one protocol after another: numbers of the leakage ladder."""

from __future__ import annotations

from functools import cache

import pandas as pd

from himoe.config.protocols import PROTOCOLS
from himoe.names import CLEAN
from himoe.report.evidence import Evidence
from himoe.report.text import number
from himoe.report.titles import dataset_of, model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.intervals import interval
from himoe.stats.levels import levels

ORDER = ("subject_stimulus", "loso", "subject_kfold", "trial_kfold", "window_random")
LEAKY = ORDER[-1]
METRICS = ("pcc", "ccc", "skill")
KEYS = ["dataset", "target", "model", "protocol"]


def protocols_of(evidence: Evidence) -> list[str]:
    """Those of the run, the most demanding first."""
    return [p for p in ORDER if p in evidence.config.protocols]


@cache
def ladder(evidence: Evidence) -> pd.DataFrame:
    """Means over subjects with their intervals, by data set, target, model, protocol and metric; clean input."""
    rows = []
    clean = pick(evidence.all_scores, condition=CLEAN, model=[*evidence.models, *evidence.controls])
    for (setting, target), part in clean.groupby(["setting", "target"], sort=False):
        for metric in METRICS:
            for model, values in levels(part, metric).items():
                key = [dataset_of(setting), target, model, evidence.protocol_of(setting)]
                rows.append([*key, metric, *map(float, interval(values)), len(values)])
    return pd.DataFrame(rows, columns=[*KEYS, "metric", "value", "low", "high", "n_subjects"])


def what_leaks(evidence: Evidence, means: pd.Series) -> str:
    """What the model that gains most by leakage has with windows dealt at random, and under the most demanding protocol."""
    honest = protocols_of(evidence)[0]
    leaky = means.xs(LEAKY, level="protocol")
    leaky = leaky[leaky.index.get_level_values("model").isin(evidence.models)]
    dataset, target, model = leaky.idxmax()
    return (
        f"With windows dealt at random {model_title(model)} correlates {number(leaky.max(), 2)} with {target} of "
        f"{setting_title(dataset)}; judged on {PROTOCOLS[honest].title} "
        f"{number(means.get((dataset, target, model, honest), float('nan')), 2)}."
    )
