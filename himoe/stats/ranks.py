"""Ranks of models over people: Friedman's test, and the difference of mean ranks from which on Nemenyi's test tells two models
apart (Demšar 2006, Journal of Machine Learning Research 7)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from himoe.stats.intervals import ALPHA


class Ranks(NamedTuple):
    """Mean rank of each model, 1 the best (n_models,); Friedman's statistic (chi-squared of ranks, ties corrected) and its p;
    the critical difference of two mean ranks."""

    mean: np.ndarray
    statistic: float
    p: float
    critical: float


def ranks(values: np.ndarray, alpha: float = ALPHA) -> Ranks:
    """Of ``values`` (n_people, n_models), the higher the better; ties share their mean rank.

    Raises
    ------
    ValueError
        If there are fewer than three models or two people, or a value is NaN.
    """
    from scipy.stats import friedmanchisquare, rankdata, studentized_range

    values = np.asarray(values, float)
    n_people, n_models = values.shape
    if n_models < 3 or n_people < 2 or np.isnan(values).any():
        raise ValueError(f"ranks need three models, two people and every value; got {n_people} people, {n_models} models")
    mean = rankdata(-values, axis=1).mean(0)
    equal = np.ptp(values, axis=1).max() == 0  # nothing to rank: the statistic would be 0 / 0
    statistic, p = (0.0, 1.0) if equal else map(float, friedmanchisquare(*values.T))
    quantile = studentized_range.ppf(1 - alpha, n_models, np.inf) / np.sqrt(2)
    return Ranks(mean, statistic, p, float(quantile * np.sqrt(n_models * (n_models + 1) / (6 * n_people))))
