"""Ridge regression on standardised features (Hoerl & Kennard 1970), made as strong as a line can be.

Where labels vary within a trial it sees, beside a token, those around it; a lost token of a modality is interpolated over time
within its trial, and a modality that is absent throughout is at its training mean. Where there is one label per trial it sees
the mean over the trial, gaps filled likewise, so that every moment counts alike (measured: CHANGELOG). Which modalities are
present is a further regressor.

Penalty and scale (the slope of predictions about the training mean) are chosen together, per target, by leaving out training
subjects in turn (with one subject: stimuli): the best by what is reported, the mean of every person's CCC. Each fit without a
subject comes from the moments of all minus its own, so that this costs little whatever the number of rows. Rows are as
recorded, without the augmentation of networks.

Axes: n rows, D regressors, K targets, C penalties; moments are sums over rows of products of (1, regressors, targets).
"""

from __future__ import annotations

import logging

import numpy as np

from himoe.config.sections import Positive, Strict, setting
from himoe.data.rows import Inputs, Rows
from himoe.models._left_out import choose, groups_of, labelled

log = logging.getLogger("himoe")

COLOUR = ("#1212d6", "#6459b2")
PLACE = 50


class Config(Strict):
    """How far around a token it looks, and candidate penalties."""

    lag_seconds: float = setting(
        2.0, "how far before and after a token it looks where labels vary within a trial, s", "ours", ge=0
    )
    lag_step: Positive = setting(1.0, "distance of the tokens it sees there, s (at least one token)", "ours")
    penalties: list[Positive] = setting(
        [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6],
        "candidate penalties", "ours", min_length=1,
    )  # fmt: skip


def fit(train: Rows, config: Config, seed: int) -> dict[str, np.ndarray]:
    """Coefficients, scaled, for the penalty and scale with the best mean CCC of left-out people."""
    lags, known, group = train.lags(config.lag_seconds, config.lag_step), labelled(train), groups_of(train, "ridge")
    names, index = np.unique(group[known].astype(str), return_inverse=True)
    parts = [np.flatnonzero(known)[index == g] for g in range(len(names))]
    n_targets, penalties = train.y.shape[1], np.array(config.penalties)
    moments = _moments(train, lags, parts)
    whole = moments.sum(0)
    sums = np.stack([left_out(whole - part, part, penalties, n_targets) for part in moments], axis=1)
    best, slope = choose(sums, np.array([train.subject[rows[0]] for rows in parts]).astype(str))
    if on_edge := [f"{p:g}" for p in penalties[best] if len(penalties) > 2 and p in (penalties.min(), penalties.max())]:
        log.warning("ridge: penalty %s is the smallest or largest candidate", ", ".join(on_edge))
    coefficients, mean = solve(whole, penalties, n_targets)  # (C, D, K), (1 + D + K,)
    coef = slope[:, None] * coefficients[best, :, np.arange(n_targets)]  # (K, D)
    n_columns = coef.shape[1]
    intercept = mean[1 + n_columns :] - coef @ mean[1 : 1 + n_columns]
    return {"coef": coef, "intercept": intercept, "penalty": penalties[best], "scale": slope, "lags": lags}


def predict(state: dict[str, np.ndarray], rows: Inputs) -> np.ndarray:
    """Predictions (n, K)."""
    return _design(rows, state["lags"], np.arange(len(rows.x))) @ state["coef"].T + state["intercept"]


def solve(moments: np.ndarray, penalties: np.ndarray, n_targets: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (C, D, K) for every penalty, none on the intercept, and the means (1 + D + K,) that they are about."""
    mean = moments[0] / moments[0, 0]
    about = moments - moments[0, 0] * np.outer(mean, mean)
    at, to = slice(1, len(mean) - n_targets), slice(len(mean) - n_targets, None)
    values, vectors = np.linalg.eigh(about[at, at])
    aligned = vectors.T @ about[at, to]  # (D, K)
    shrunk = aligned / (np.maximum(values, 0.0)[:, None] + penalties[:, None, None])  # (C, D, K)
    return vectors @ shrunk, mean


def left_out(others: np.ndarray, own: np.ndarray, penalties: np.ndarray, n_targets: int) -> np.ndarray:
    """The six sums (6, C, K) of :mod:`himoe.models._left_out` over a group's rows, predicted by fits on the others'."""
    coef, mean = solve(others, penalties, n_targets)
    n = own[0, 0]
    about = own - np.outer(mean, own[0]) - np.outer(own[0], mean) + n * np.outer(mean, mean)  # about the others' means
    total = own[0] - n * mean
    at, to = slice(1, len(mean) - n_targets), slice(len(mean) - n_targets, None)
    one = np.ones(coef.shape[::2])  # (C, K)
    p, pp = np.einsum("d,cdk->ck", total[at], coef), (coef * (about[at, at] @ coef)).sum(1)
    py = (coef * about[at, to]).sum(1)
    return np.stack([n * one, p, total[to] * one, pp, py, np.diag(about[to, to]) * one])


def _moments(rows: Rows, lags: np.ndarray, parts: list[np.ndarray]) -> np.ndarray:
    """Moments (G, 1 + D + K, 1 + D + K) of each part's rows; one part's regressors at a time are in memory."""
    out = []
    for part in parts:
        z = np.concatenate([np.ones((len(part), 1)), _design(rows, lags, part), rows.y[part]], axis=1)
        out.append(z.T @ z)
    return np.stack(out)


def _design(rows: Inputs, lags: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Regressors of these rows (len(which), D): features at every lag, then presence."""
    # presence - 1: a complete row has 0 in these regressors, the mean of a feature
    return np.concatenate([*(rows.filled[rows.at(int(lag))[which]] for lag in lags), rows.presence[which] - 1.0], axis=1)
