"""Choices that a model makes on left-out training people, by what is reported: the CCC of a person's deviations from the
training mean, mean over people.

Axes: n rows, G groups left out, K targets, C candidates, P people, R spreads.
"""

from __future__ import annotations

import numpy as np

from himoe.data.rows import Rows
from himoe.stats.metrics import CONSTANT
from himoe.types import HimoeError

SUMS = 6  # of predictions p and labels y, as deviations from the training mean: n, p, y, p^2, p y, y^2
SPREADS = np.geomspace(0.05, 2.0, 75)  # of predictions, candidates, in those of the labels: steps of 5%


def labelled(rows: Rows) -> np.ndarray:
    """Rows (n,) bool on which every target is known."""
    return np.isfinite(rows.y).all(1)


def groups_of(rows: Rows, model: str) -> np.ndarray:
    """What is left out in turn, of every row (n,): its subject, or its stimulus where there is one labelled subject.

    Raises
    ------
    HimoeError
        If there is only one subject with one stimulus.
    """
    known = labelled(rows)
    group = rows.subject if len(set(rows.subject[known])) > 1 else rows.stimulus
    if len(set(group[known])) < 2:
        raise HimoeError(f"{model}: one training subject with one stimulus: nothing can be left out to choose by")
    return group


def sums_of(predicted: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The six sums (6, C, K) over rows of predictions (C, n, K) and labels (n, K), both deviations, where labels are known."""
    known = np.isfinite(y)
    y, p = np.where(known, y, 0.0), np.where(known, predicted, 0.0)
    one = np.ones_like(p)
    return np.stack([(known * v).sum(1) for v in (one, p, one * y, p * p, p * y, one * y * y)])


def choose(sums: np.ndarray, who: np.ndarray, together: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The best candidate and the slope of its predictions about the training mean, per target: (K,) int, (K,).

    sums (6, G, C, K) of every left-out group, ``who`` (G,) the person of each. The slope is sought so that predictions get
    every one of SPREADS. ``together``: one candidate for all targets, by the mean over them.
    """
    people = np.unique(who)
    of_people = np.stack([sums[:, who == person].sum(1) for person in people], axis=1)  # (6, P, C, K)
    slopes = _slopes(of_people.sum(1))  # (R, C, K)
    rated = of_people[0] > 0  # (P, C, K)
    scores = sum(ccc_of(of_people[:, i], slopes) for i in range(len(people))) / np.maximum(rated.sum(0), 1)  # (R, C, K)
    by_candidate = scores.max(0)  # (C, K)
    n_targets = by_candidate.shape[1]
    best = np.full(n_targets, by_candidate.mean(1).argmax()) if together else by_candidate.argmax(0)
    targets = np.arange(n_targets)
    return best, slopes[scores[:, best, targets].argmax(0), best, targets]


def ccc_of(sums: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """CCC of ``slope`` (R, ...) times predictions with the labels, both known by their six sums (6, ...) -> (R, ...); 0 where
    either is constant."""
    n, p, y, pp, py, yy = sums
    n = np.maximum(n, 1)
    mean_p, mean_y = slope * p / n, y / n
    var_p, var_y = slope**2 * (pp / n - (p / n) ** 2), yy / n - mean_y**2
    covariance = slope * (py / n - p / n * mean_y)
    varies = (var_p >= CONSTANT) & (var_y >= CONSTANT)
    return np.where(varies, 2 * covariance / np.where(varies, var_p + var_y + (mean_p - mean_y) ** 2, 1.0), 0.0)


def _slopes(sums: np.ndarray) -> np.ndarray:
    """The factors (R, C, K) that give predictions each of SPREADS, in the root mean square of the labels; 0 of predictions that
    are all 0."""
    pp, yy = sums[3], sums[5]
    ratio = np.sqrt(np.where(pp > 0, yy / np.where(pp > 0, pp, 1.0), 0.0))
    return SPREADS[:, None, None] * ratio
