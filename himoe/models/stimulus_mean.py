"""Mean rating of each stimulus over the training subjects: needs no physiology, since all subjects saw the same stimuli.

A strong baseline under leave-one-subject-out that most published tables leave out. It is one mean per stimulus also where
labels vary within a trial; a stimulus that no training subject saw gets the training mean.
"""

from __future__ import annotations

import numpy as np

from himoe.config.sections import Strict, setting
from himoe.data.rows import Rows

BLIND = True  # to physiology
DEPLOYABLE = False  # on a stimulus that nobody has rated: a reference, no rival


class Config(Strict):
    """How far a stimulus' mean is shrunk towards the training mean."""

    shrinkage: float = setting(1.0, "pseudo-ratings at the training mean added to each stimulus", "ours", ge=0)


def fit(train: Rows, config: Config, seed: int) -> dict[str, np.ndarray]:
    """Shrunk mean per stimulus; training subjects have equal weight, however many labels each gave."""
    overall = np.nanmean(train.y, axis=0)  # (n_outputs,)
    names = sorted(set(train.stimulus))
    means = []
    for name in names:
        here = train.stimulus == name
        ratings = [np.nanmean(train.y[here & (train.subject == s)], axis=0) for s in sorted(set(train.subject[here]))]
        means.append((np.sum(ratings, axis=0) + config.shrinkage * overall) / (len(ratings) + config.shrinkage))
    # names as bytes: a state holds arrays of numbers only
    return {"overall": overall, "means": np.stack(means), "names": np.frombuffer("\n".join(names).encode(), np.uint8)}


def predict(state: dict[str, np.ndarray], rows: Rows) -> np.ndarray:
    """Predictions (n, n_outputs)."""
    table = dict(zip(bytes(state["names"]).decode().split("\n"), state["means"], strict=True))
    return np.stack([table.get(name, state["overall"]) for name in rows.stimulus])
