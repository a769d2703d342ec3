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
    """Whether a mean is within a margin of 0, either way: two one-sided t tests (Schuirmann 1987).

    Error and degrees of freedom are those of :func:`~himoe.stats.intervals.variance_of_mean`; with one seed this is the
    one-sample test of statsmodels. All but the mean are NaN with fewer than two people or where a value is NaN.

    Parameters
    ----------
    values
        (n_people, n_seeds) differences from the number that is given.
    margin
        How far from 0 counts as equal, in the unit of the values.
    alpha
        Level of each test.

    Returns
    -------
    Equivalence
        ``mean``, the bounds of its interval at 1 - 2 alpha and ``p``, the larger of the two.

    Examples
    --------
    Mean .2, error .0707 / sqrt(5) = .0316, t(4): (.2 - .3) / .0316 = -3.16, p = .017: within .3 of 0.

    >>> import himoe, numpy as np
    >>> round(himoe.stats.tost(np.array([[0.1], [0.2], [0.3], [0.2], [0.2]]), margin=0.3).p, 3)
    0.017
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
