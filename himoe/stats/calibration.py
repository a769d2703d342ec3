"""One scale and one offset per target for any model's predictions, from people it was not fitted on.

A regression that finds little says little: its predictions spread less than the labels, and the CCC, which asks for agreement
and not for correlation alone, is low for that. The CCC of a person, 2 a c / (var y + a^2 var p + bias^2) with a scale a, is
highest at a^2 = (var y + bias^2) / var p, whatever the covariance c: the best scale is a ratio of spreads, larger than the
least-squares slope by 1 / r, and as well known from few people as a spread is. It is positive: what is said the wrong way
round stays so, and noise stays noise (its squared error rises). Figures behind the choice: docs/explanation/tuning-ledger.md.
"""

from __future__ import annotations

import numpy as np

from himoe.stats.metrics import CONSTANT

PRIOR_PEOPLE = 4.0  # the training rows' spread (1) and mean (0) count as so many people
BOUNDS = 0.1, 10.0  # of the scale
Arrays = dict[str, np.ndarray]


def calibrate(y: np.ndarray, predicted: np.ndarray, person: np.ndarray) -> Arrays:
    """``scale`` and ``offset`` (n_outputs,), with which ``offset + scale * predicted`` has the spread and the mean of the
    labels.

    y and predicted (n, n_outputs) are in units of the standardised targets, NaN in y where unknown; person (n,) says whose a
    row is. A prediction that does not vary within anybody is left as it is: scale 1, offset 0.
    """
    pairs = [_one_target(y[:, k], predicted[:, k], person) for k in range(y.shape[1])]
    scale, offset = np.array(pairs, np.float64).reshape(-1, 2).T
    return {"scale": scale, "offset": offset}


def _one_target(y: np.ndarray, predicted: np.ndarray, person: np.ndarray) -> tuple[float, float]:
    """With n people, means over them, and m = PRIOR_PEOPLE::

    scale^2 = (n mean(var y + (mean y)^2) + m) / (n + m) / mean(var p)
    offset  = (1 - scale) mean p + n / (n + m) (mean y - mean p)
    """
    y, predicted, known = y.astype(np.float64), predicted.astype(np.float64), np.isfinite(y)
    rows = [(y[here], predicted[here]) for here in (known & (person == name) for name in np.unique(person)) if here.any()]
    spread = np.mean([p.var() for _, p in rows]) if rows else 0.0
    if spread < CONSTANT:
        return 1.0, 0.0
    share = len(rows) / (len(rows) + PRIOR_PEOPLE)
    wanted = share * np.mean([a.var() + a.mean() ** 2 for a, _ in rows]) + 1 - share
    scale = float(np.clip(np.sqrt(wanted / spread), *BOUNDS))
    mean_y, mean_p = np.mean([(a.mean(), p.mean()) for a, p in rows], axis=0)
    return scale, float((1 - scale) * mean_p + share * (mean_y - mean_p))


def calibrated(predicted: np.ndarray, calibration: Arrays) -> np.ndarray:
    """Predictions (n, n_outputs) on their scale; as they are where there is none (an empty one)."""
    return calibration["offset"] + calibration["scale"] * predicted if calibration else predicted
