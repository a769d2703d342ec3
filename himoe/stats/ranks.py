"""Ranks of models over people: Friedman's test, and the difference of mean ranks from which on Nemenyi's test tells two models
apart (Demšar 2006, Journal of Machine Learning Research 7)."""

from __future__ import annotations

from operator import itemgetter
from typing import NamedTuple

import numpy as np

from himoe.stats.intervals import ALPHA
from himoe.stats.levels import Levels


class Ranks(NamedTuple):
    """Mean rank of each model, 1 the best (n_models,); Friedman's statistic (chi-squared of ranks, ties corrected) and its p;
    the critical difference of two mean ranks."""

    mean: np.ndarray
    statistic: float
    p: float
    critical: float


class Ranked(NamedTuple):
    """Mean rank by model, best first; the models that have none because a fold failed; and what :func:`ranks` says of it."""

    mean: dict[str, float]
    failed: list[str]
    of: Ranks


def rank_models(values: Levels, alpha: float = ALPHA) -> Ranked | None:
    """Of the models in ``values``, seeds averaged; None where fewer than three have every value."""
    failed = [m for m, v in values.items() if np.isnan(v).any()]
    kept = [m for m in values if m not in failed]
    if len(kept) < 3:
        return None
    of = ranks(np.stack([values[m].mean(1) for m in kept], axis=1), alpha)
    return Ranked(dict(sorted(zip(kept, map(float, of.mean), strict=True), key=itemgetter(1))), failed, of)


def not_told_apart(mean: dict[str, float], critical: float) -> list[list[str]]:
    """The largest groups of models whose mean ranks are all within the critical difference; none of a single model."""
    models, groups = sorted(mean, key=lambda m: mean[m]), []
    last = 0
    for i, first in enumerate(models):
        end = max(j for j in range(i, len(models)) if mean[models[j]] - mean[first] <= critical)
        if end > max(i, last):
            groups.append(models[i : end + 1])
            last = end
    return groups


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
