"""Mean rating of each stimulus over the training subjects: needs no physiology, since all subjects saw the same stimuli.

A strong baseline under leave-one-subject-out that most published tables leave out. It is one mean per stimulus also where
labels vary within a trial; a stimulus that no training subject saw gets the training mean.
"""

from __future__ import annotations

import numpy as np

from himoe.config.sections import Strict, setting
from himoe.data.rows import Inputs, Rows

COLOUR = ("#1b1f24", "#e6e9ee")
PLACE = 30
BLIND = True  # to physiology
DEPLOYABLE = False  # on a stimulus that nobody has rated: a reference, no rival


class Config(Strict):
    """How far a stimulus' mean is shrunk towards the training mean."""

    shrinkage: float = setting(1.0, "pseudo-ratings at the training mean added to each stimulus", "ours", ge=0)


def fit(train: Rows, config: Config, seed: int) -> dict[str, np.ndarray]:
    """Shrunk mean per stimulus; training subjects have equal weight, however many labels each gave, and one without a label of
    a target has none in that target's mean."""
    overall = _means(train.y)
    names = sorted(set(train.stimulus))
    means = []
    for name in names:
        here = train.stimulus == name
        ratings = np.stack([_means(train.y[here & (train.subject == s)]) for s in sorted(set(train.subject[here]))])
        weight = np.isfinite(ratings).sum(axis=0) + config.shrinkage  # (n_outputs,)
        total = np.nansum(ratings, axis=0) + config.shrinkage * overall
        means.append(np.divide(total, weight, out=overall.copy(), where=weight > 0))
    # names as bytes: a state holds arrays of numbers only
    return {"overall": overall, "means": np.stack(means), "names": np.frombuffer("\n".join(names).encode(), np.uint8)}


def _means(y: np.ndarray) -> np.ndarray:
    """Mean of the known labels of each target, (n, n_outputs) -> (n_outputs,); NaN without any."""
    n = np.isfinite(y).sum(axis=0)
    return np.where(n > 0, np.nansum(y, axis=0) / np.maximum(n, 1), np.nan)


def predict(state: dict[str, np.ndarray], rows: Inputs) -> np.ndarray:
    """Predictions (n, n_outputs)."""
    table = dict(zip(bytes(state["names"]).decode().split("\n"), state["means"], strict=True))
    return np.stack([table.get(name, state["overall"]) for name in rows.stimulus])
