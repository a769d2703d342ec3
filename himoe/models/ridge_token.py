"""Ridge regression on standardised features (Hoerl & Kennard 1970) of one token, aware of missing data: an absent modality is
at its training mean, and the share of tokens with each modality is a further regressor. The penalty is chosen by leaving out
training subjects in turn (with one subject: stimuli), whatever the tuning budget, as this costs next to nothing. Rows are as
recorded, without the augmentation of networks.

A weak line, kept to show what ``ridge`` adds: where labels vary within a trial it sees nothing of the tokens around (networks
do), takes the training mean for a lost token, and its penalty is the best by the CCC over all people's ratings at once, with no
scale of the predictions of its own.
"""

from __future__ import annotations

import numpy as np

from himoe.config.sections import Positive, Strict, setting
from himoe.data.rows import Inputs, Rows
from himoe.models._left_out import groups_of, labelled
from himoe.stats.metrics import ccc

TITLE = "ridge on one token"
COLOUR = ("#4c6fd0", "#5069e6")
PLACE = 60


class Config(Strict):
    """Candidate penalties."""

    penalties: list[Positive] = setting([1.0, 10.0, 100.0, 1000.0, 10000.0], "candidate penalties", "ours", min_length=1)


def fit(train: Rows, config: Config, seed: int) -> dict[str, np.ndarray]:
    """Coefficients for the penalty with the best CCC, each training subject being left out in turn."""
    from sklearn.linear_model import Ridge

    known = labelled(train)
    x, y, group = _design(train)[known], train.y[known], groups_of(train, "ridge_token")[known]
    scores = []
    for penalty in config.penalties:
        predicted = np.empty_like(y)
        for name in sorted(set(group)):
            here = group == name
            predicted[here] = Ridge(alpha=penalty).fit(x[~here], y[~here]).predict(x[here]).reshape(-1, y.shape[1])
        scores.append(np.mean([ccc(*pair) for pair in zip(y.T, predicted.T, strict=True)]))
    penalty = config.penalties[int(np.argmax(scores))]
    model = Ridge(alpha=penalty).fit(x, y)
    return {"coef": np.atleast_2d(model.coef_), "intercept": np.atleast_1d(model.intercept_), "penalty": np.array([penalty])}


def predict(state: dict[str, np.ndarray], rows: Inputs) -> np.ndarray:
    """Predictions (n, n_outputs)."""
    return _design(rows) @ state["coef"].T + state["intercept"]


def _design(rows: Inputs) -> np.ndarray:
    # presence - 1: a complete row has 0 in these regressors, the mean of a feature
    return np.concatenate([rows.x, rows.presence - 1.0], axis=1)
