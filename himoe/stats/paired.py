"""Hi-MoE against every other model, paired over people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.stats.frames import pick
from himoe.stats.inference import ROUNDING, effect_size, holm
from himoe.stats.intervals import ALPHA, interval, variance_of_mean
from himoe.stats.levels import CLEAN, levels

POWER = 0.8
COLUMNS = [
    "setting", "target", "other", "metric", "difference", "low", "high", "p", "d", "detectable", "n_subjects", "n_seeds",
    "p_holm",
]  # fmt: skip
P = COLUMNS.index("p")


def compare(scores: pd.DataFrame, metric: str, of: list[str], model: str = STUDIED) -> pd.DataFrame:
    """One row per setting (``of`` names those wanted), target and other model, clean input; Holm over the other models.

    ``detectable`` is the difference that an interval above 0 would show with a chance of 80%. Where a fold of either failed
    the row is NaN."""
    rows = []
    clean = pick(scores, condition=CLEAN, setting=of)
    for (setting, target), part in clean.groupby(["setting", "target"], sort=True):
        values = levels(part, metric)
        if model not in values:
            continue
        others = [m for m in values if m != model]
        tests = [[setting, target, other, metric, *_test(values[model] - values[other])] for other in others]
        adjusted = holm([test[P] for test in tests])
        rows += [[*test, p] for test, p in zip(tests, adjusted, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _test(difference: np.ndarray) -> list[float]:
    """From ``difference`` to ``n_seeds`` of COLUMNS, of one difference per person and seed."""
    from scipy.special import stdtr, stdtrit

    n_people, n_seeds = difference.shape
    if np.isnan(difference).any() or n_people < 2:  # no test on the people that are left
        return [*[np.nan] * 6, n_people, n_seeds]
    mean, low, high = (float(v) for v in interval(difference))
    variance = variance_of_mean(difference)
    error, freedom = float(np.sqrt(variance.of_mean)), float(variance.freedom)
    p = float(2 * stdtr(freedom, -abs(mean) / error)) if error > ROUNDING else 1.0 if abs(mean) <= ROUNDING else 0.0
    detectable = float(stdtrit(freedom, [1 - ALPHA / 2, POWER]).sum()) * error
    return [mean, low, high, p, effect_size(difference.mean(1)), detectable, n_people, n_seeds]
