"""Confidence intervals of a mean over people and seeds.

One value stands for each person under each seed, averaged over targets. People differ, networks of one seed share some of
their luck, and both are drawn at random, so both are in the interval: a two-way layout of random effects without replication,
whose variance of the mean is (MS_people + MS_seeds - MS_rest) / (n_people n_seeds), with the degrees of freedom of
Satterthwaite (1946) (Searle, Casella & McCulloch 1992, chapter 4). What people tested in one fold share of the luck of a
seed is in the mean square of seeds. What they share of the luck of their training set is in none: all seeds have the same one
(measured: 24 people in three folds whose leads differ by a SD of .02 beside .06 over people: 87% covered, not 95%). Under
leave-one-subject-out nobody shares one. The skewness of people is taken out by the transformation of Hall (1992); coverage is
measured in tests/stats/test_intervals.py.

Axes: values are (..., n_people, n_seeds); what is before is carried along.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

ALPHA = 0.05
TINY = 1e-12
FEWEST = 6  # people (or draws of the data) from which on their skewness is estimated


class Interval(NamedTuple):
    """Means (...) and their bounds; NaN where a value is NaN or there are fewer than two people."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Variance(NamedTuple):
    """Variance of the mean over people and seeds, its degrees of freedom, and the skewness of the mean."""

    of_mean: np.ndarray
    freedom: np.ndarray
    skewness: np.ndarray


def interval(values: np.ndarray, alpha: float = ALPHA) -> Interval:
    """Interval of a mean over people and seeds that covers with probability 1 - alpha.

    Parameters
    ----------
    values
        (..., n_people, n_seeds), one value for each person under each seed; what is before is carried along.
    alpha
        0.05: an interval at 95%.

    Returns
    -------
    Interval
        ``mean``, ``low`` and ``high`` (...), in the unit of the values; bounds are NaN with fewer than two people.

    Examples
    --------
    Mean .2, SD .0707 over five people, t(4) = 2.776: .2 -+ 2.776 * .0707 / sqrt(5).

    >>> import himoe
    >>> [round(float(bound), 3) for bound in himoe.stats.interval([[0.1], [0.2], [0.3], [0.2], [0.2]])]
    [0.2, 0.112, 0.288]
    """
    from scipy.special import stdtrit  # quantiles of Student's t, without scipy.stats, which takes each job .4 s to import

    values = np.asarray(values, float)
    mean = values.mean((-2, -1))
    if values.shape[-2] < 2:
        return Interval(mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan))
    variance = variance_of_mean(values)
    error, quantile = np.sqrt(variance.of_mean), stdtrit(variance.freedom, 1 - alpha / 2)
    return Interval(
        mean, mean - error * _unskewed(quantile, variance.skewness), mean - error * _unskewed(-quantile, variance.skewness)
    )


def variance_of_mean(values: np.ndarray) -> Variance:
    """By mean squares of ``values`` (..., n_people >= 2, n_seeds); with one seed, of people alone."""
    n_people, n_seeds = values.shape[-2:]
    grand = values.mean((-2, -1), keepdims=True)
    people, seeds = values.mean(-1, keepdims=True) - grand, values.mean(-2, keepdims=True) - grand
    ms_people = n_seeds * (people**2).sum((-2, -1)) / (n_people - 1)
    if n_seeds == 1:
        total, freedom = ms_people, np.full(ms_people.shape, n_people - 1.0)
    else:
        rest = ((values - grand - people - seeds) ** 2).sum((-2, -1)) / ((n_people - 1) * (n_seeds - 1))
        surplus = np.maximum(n_people * (seeds**2).sum((-2, -1)) / (n_seeds - 1) - rest, 0.0)
        total = ms_people + surplus
        # of the sum of two independent mean squares, the second without what it shares with the first
        squares = ms_people**2 / (n_people - 1) + surplus**2 / (n_seeds - 1)
        freedom = np.where(squares > TINY**2, total**2 / np.maximum(squares, TINY**2), n_people - 1.0)
    third = (people**3).mean((-2, -1)) * n_seeds**1.5  # of the people's means, on the scale of ms_people
    skewness = third / np.maximum(total, TINY) ** 1.5 / np.sqrt(n_people)
    if n_people < FEWEST:
        skewness = np.zeros_like(skewness)
    return Variance(total / (n_people * n_seeds), freedom, skewness)


def _unskewed(quantile: np.ndarray, skewness: np.ndarray) -> np.ndarray:
    """Where Hall's transformation T + g T^2 / 3 + g^2 T^3 / 27 + g / 6 of a Studentised mean T reaches the quantile; g is the
    skewness of the mean."""
    g = np.where(np.abs(skewness) < 1e-6, 1e-6, skewness)
    return 3 / g * (np.cbrt(1 + g * (quantile - g / 6)) - 1)
