"""What the seeds of a model say together: the mean prediction as one more predictor, and how often intervals made of their
spread, or of other people's residuals, hold the rating."""

from __future__ import annotations

import numpy as np

from himoe.stats.inference import ROUNDING

NOMINAL = (0.5, 0.8, 0.95)


def spread_halves(predictions: np.ndarray, level: float) -> np.ndarray:
    """Half widths (n,) of intervals about the mean of ``predictions`` (n, n_seeds >= 2) that hold one more seed's prediction
    with probability ``level`` if seeds are normal: t_{S-1} s sqrt(1 + 1 / S). What ratings do beside them is in none of it."""
    from scipy.special import stdtrit

    n_seeds = predictions.shape[1]
    quantile = float(stdtrit(n_seeds - 1, 0.5 + level / 2))
    return np.asarray(quantile * predictions.std(1, ddof=1) * np.sqrt(1 + 1 / n_seeds))


def others_halves(residuals: np.ndarray, person: np.ndarray, levels: tuple[float, ...] = NOMINAL) -> np.ndarray:
    """Half widths (n_levels, n) of intervals for each row by the absolute ``residuals`` (n,) of the other people, who have
    equal weight whatever their number of rows (split conformal over people: Lee, Barber & Willett 2023): the smallest half
    width at which the weights, 1 / ((K + 1) n_k) for each row of K other people, reach the level; infinite where these are
    too few."""
    people, order = np.unique(person), np.argsort(residuals)
    halves, weights = np.full((len(levels), len(residuals)), np.inf), np.zeros(len(residuals))
    for name in people:
        weights[person == name] = 1 / (len(people) * (person == name).sum())  # K + 1 people in all
    for name in people:
        others = order[person[order] != name]
        places = np.searchsorted(np.cumsum(weights[others]), np.array(levels) - ROUNDING)
        reached = np.append(residuals[others], np.inf)[places]
        halves[:, person == name] = reached[:, None]
    return halves


def covered(residuals: np.ndarray, halves: np.ndarray, person: np.ndarray) -> float:
    """Share of ratings within their interval, mean over people; ``residuals`` and ``halves`` (n,)."""
    return float(np.mean([(residuals[person == name] <= halves[person == name]).mean() for name in np.unique(person)]))
