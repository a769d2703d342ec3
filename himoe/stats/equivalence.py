"""Equivalence with a number that is given: two one-sided t tests (Schuirmann 1987), over people and seeds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from himoe.stats.inference import ROUNDING
from himoe.stats.intervals import ALPHA, variance_of_mean


class Equivalence(NamedTuple):
    """The mean, the bounds of its interval at 1 - 2 alpha, which lies within the margin exactly where p is below alpha, and
    p, the larger of the two."""

    mean: float
    low: float
    high: float
    p: float


def tost(values: np.ndarray, margin: float, alpha: float = ALPHA) -> Equivalence:
    """Whether the mean of ``values`` (n_people, n_seeds), differences from the given number, is within ``margin`` either way.

    Error and degrees of freedom are those of :func:`~himoe.stats.intervals.variance_of_mean`; with one seed this is the
    one-sample test of statsmodels. All but the mean are NaN with fewer than two people or where a value is NaN.
    """
    from scipy.special import stdtr, stdtrit

    mean = float(values.mean())
    if len(values) < 2 or np.isnan(mean):
        return Equivalence(mean, *[np.nan] * 3)
    variance = variance_of_mean(values)
    error, freedom = max(float(np.sqrt(variance.of_mean)), ROUNDING), float(variance.freedom)
    half = float(stdtrit(freedom, 1 - alpha)) * error
    above, below = stdtr(freedom, -(mean + margin) / error), stdtr(freedom, (mean - margin) / error)
    return Equivalence(mean, mean - half, mean + half, float(max(above, below)))
