"""Mean of the training targets: the reference of every skill score."""

from __future__ import annotations

import numpy as np

from himoe.config.sections import Strict
from himoe.data.rows import Inputs, Rows

COLOUR = ("#80757c", "#65665e")
PLACE = 10
BLIND = True  # to physiology


class Config(Strict):
    """Nothing to choose."""


def fit(train: Rows, config: Config, seed: int) -> dict[str, np.ndarray]:
    """Mean of the targets. They are standardised on the training rows, so it is close to 0."""
    return {"mean": np.nanmean(train.y, axis=0)}


def predict(state: dict[str, np.ndarray], rows: Inputs) -> np.ndarray:
    """Predictions (n, n_outputs), constant."""
    return np.tile(state["mean"], (len(rows.x), 1))
