"""The corrected resampled t test (Nadeau & Bengio 2003, Machine Learning 52).

Means of folds are no independent draws: training sets overlap, so that what one of them made of its model the others made too.
The plain variance of the mean, s^2 / J over J folds, is too small; Nadeau and Bengio take the correlation between folds to be
n_test / (n_test + n_train) and get s^2 (1 / J + n_test / n_train), with J - 1 degrees of freedom.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from himoe.stats.inference import ROUNDING
from himoe.stats.intervals import ALPHA


class Corrected(NamedTuple):
    """Mean of the folds, its interval, Student's t, and the two-sided p value."""

    mean: float
    low: float
    high: float
    t: float
    p: float


def corrected_t(differences: np.ndarray, ratio: float, alpha: float = ALPHA) -> Corrected:
    """Of one difference per fold, (n_folds,), and the ``ratio`` n_test / n_train; all but the mean are NaN with fewer than two
    folds, and everything where a difference is NaN."""
    from scipy.special import stdtr, stdtrit

    n_folds, mean = len(differences), float(np.mean(differences)) if len(differences) else np.nan
    if n_folds < 2 or np.isnan(mean):
        return Corrected(mean, *[np.nan] * 4)
    error = float(np.std(differences, ddof=1) * np.sqrt(1 / n_folds + ratio))
    half = float(stdtrit(n_folds - 1, 1 - alpha / 2)) * error
    if error <= ROUNDING:
        return Corrected(mean, mean, mean, np.nan, 1.0 if abs(mean) <= ROUNDING else 0.0)
    return Corrected(mean, mean - half, mean + half, mean / error, float(2 * stdtr(n_folds - 1, -abs(mean) / error)))
