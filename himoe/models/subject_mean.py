"""Mean rating of each subject over the training trials: a baseline for subject-dependent protocols, in which knowing the
subject predicts much of the rating without any physiology. Under other protocols test subjects are unknown and get the
training mean."""

from __future__ import annotations

import numpy as np

from himoe.config.sections import Strict, setting
from himoe.data.rows import Inputs, Rows

COLOUR = ("#8b8589", "#8d8a90")
PLACE = 20
KNOWS_SUBJECTS = True
BLIND = True  # to physiology
DEPLOYABLE = False  # on a person of whom no rating is known: a reference, no rival


class Config(Strict):
    """How far a subject's mean is shrunk towards the training mean."""

    shrinkage: float = setting(1.0, "pseudo-ratings at the training mean added to each subject", "ours", ge=0)


def fit(train: Rows, config: Config, seed: int) -> dict[str, np.ndarray]:
    """Shrunk mean per subject; a target without a rating of the subject gets the training mean."""
    overall = np.nanmean(train.y, axis=0)  # (n_outputs,)
    names = sorted(set(train.subject))
    means = []
    for name in names:
        ratings = train.y[train.subject == name]
        n = np.isfinite(ratings).sum(0)
        means.append((np.nansum(ratings, axis=0) + config.shrinkage * overall) / (n + config.shrinkage))
    # names as bytes: a state holds arrays of numbers only
    return {"overall": overall, "means": np.stack(means), "names": np.frombuffer("\n".join(names).encode(), np.uint8)}


def predict(state: dict[str, np.ndarray], rows: Inputs) -> np.ndarray:
    """Predictions (n, n_outputs)."""
    table = dict(zip(bytes(state["names"]).decode().split("\n"), state["means"], strict=True))
    return np.stack([table.get(name, state["overall"]) for name in rows.subject])
