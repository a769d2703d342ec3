"""Ridge regression on standardised features, missing-aware: an absent modality is at its training mean and a presence
share per modality tells the model so (Hoerl & Kennard 1970). The penalty is chosen on inner-validation subjects only."""

from __future__ import annotations

import numpy as np

from himoe.config import Strict, setting
from himoe.rows import Rows


class Config(Strict):
    """The penalties tried."""

    penalties: list[float] = setting(
        [1.0, 10.0, 100.0, 1000.0, 10000.0], "penalties tried on inner validation", "ours", min_length=1
    )


def fit(train: Rows, valid: Rows, config: Config, seed: int) -> dict[str, np.ndarray]:
    """Coefficients of the penalty with the least inner-validation error, fitted on the training rows."""
    from sklearn.linear_model import Ridge

    known, known_valid = np.isfinite(train.y).all(1), np.isfinite(valid.y).all(1)
    best, least = None, np.inf
    for penalty in config.penalties:
        model = Ridge(alpha=penalty).fit(_design(train)[known], train.y[known])
        prediction = model.predict(_design(valid)[known_valid]).reshape(-1, train.y.shape[1])
        error = np.mean((prediction - valid.y[known_valid]) ** 2)
        if error < least:
            coef = np.atleast_2d(model.coef_)
            least, best = error, {"coef": coef, "intercept": np.atleast_1d(model.intercept_), "penalty": np.array([penalty])}
    return best


def predict(state: dict[str, np.ndarray], rows: Rows) -> np.ndarray:
    """(n_rows, n_outputs)."""
    return _design(rows) @ state["coef"].T + state["intercept"]


def _design(rows: Rows) -> np.ndarray:
    return np.concatenate([rows.x, rows.presence - 1.0], axis=1)
