"""Ridge regression on standardised features, missing-aware: an absent modality is at its training mean and a presence
share per modality tells the model so where training rows differ in it (Hoerl & Kennard 1970). The penalty is chosen by leaving
training subjects out in turn (with one alone: stimuli), whatever the tuning budget: it costs nothing to solve. Rows are as
recorded, without the losses that networks are trained with."""

from __future__ import annotations

import numpy as np

from himoe.config.sections import Strict, setting
from himoe.data.rows import Rows
from himoe.stats.metrics import ccc
from himoe.types import HimoeError


class Config(Strict):
    """The penalties tried."""

    penalties: list[float] = setting([1.0, 10.0, 100.0, 1000.0, 10000.0], "penalties tried", "ours", min_length=1)


def fit(train: Rows, config: Config, seed: int) -> dict[str, np.ndarray]:
    """Coefficients of the penalty with the best CCC when each training subject is left out in turn."""
    from sklearn.linear_model import Ridge

    known = np.isfinite(train.y).all(1)
    x, y, group = _design(train)[known], train.y[known], train.subject[known]
    group = group if len(set(group)) > 1 else train.stimulus[known]
    if len(set(group)) < 2:
        raise HimoeError("ridge: one training subject with one stimulus: nobody can be left out to choose the penalty")
    scores = []
    for penalty in config.penalties:
        left_out = np.empty_like(y)
        for name in sorted(set(group)):
            here = group == name
            left_out[here] = Ridge(alpha=penalty).fit(x[~here], y[~here]).predict(x[here]).reshape(-1, y.shape[1])
        scores.append(np.mean([ccc(*pair) for pair in zip(y.T, left_out.T, strict=True)]))
    penalty = config.penalties[int(np.argmax(scores))]
    model = Ridge(alpha=penalty).fit(x, y)
    return {"coef": np.atleast_2d(model.coef_), "intercept": np.atleast_1d(model.intercept_), "penalty": np.array([penalty])}


def predict(state: dict[str, np.ndarray], rows: Rows) -> np.ndarray:
    """(n_rows, n_outputs)."""
    return _design(rows) @ state["coef"].T + state["intercept"]


def _design(rows: Rows) -> np.ndarray:
    return np.concatenate([rows.x, rows.presence - 1.0], axis=1)
