"""Mean rating of each subject over the training trials: a control for subject-dependent protocols, where whoever knows the
person knows most of the answer without any physiology. Under others nobody it is judged on is known to it."""

from __future__ import annotations

import numpy as np

from himoe.config.sections import Strict, setting
from himoe.data.rows import Rows

KNOWS_SUBJECTS = True
BLIND = True  # to physiology


class Config(Strict):
    """How far a subject's mean is shrunk towards the training mean."""

    shrinkage: float = setting(1.0, "pseudo-ratings at the training mean added to each subject", "ours", ge=0)


def fit(train: Rows, config: Config, seed: int) -> dict[str, np.ndarray]:
    """Shrunk mean per subject; a target that nobody rated for a subject is the training mean."""
    overall, names = np.nanmean(train.y, axis=0), sorted(set(train.subject))
    means = []
    for name in names:
        own = train.y[train.subject == name]
        n = np.isfinite(own).sum(0)
        means.append((np.nansum(own, axis=0) + config.shrinkage * overall) / (n + config.shrinkage))
    return {"overall": overall, "means": np.stack(means), "names": np.frombuffer("\n".join(names).encode(), np.uint8)}


def predict(state: dict[str, np.ndarray], rows: Rows) -> np.ndarray:
    """(n_rows, n_outputs)."""
    table = dict(zip(bytes(state["names"]).decode().split("\n"), state["means"], strict=True))
    return np.stack([table.get(name, state["overall"]) for name in rows.subject])
