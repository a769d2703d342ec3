"""The label of the nearest training row (Cover & Hart 1967, "Nearest neighbor pattern classification").

It can only memorise. Where it does well, test rows have near copies among the training rows: it is here to reveal leakage, and
as a floor for models that generalise. Rows are compared over the modalities present in both, by the mean squared difference of
their standardised features; a row that shares no modality with any training row gets the training mean.

Axes: n and m rows, F features, M modalities.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from himoe.config.sections import Strict, setting
from himoe.data.rows import Inputs, Rows

TITLE = "1-nearest neighbour"
COLOUR = ("#66625e", "#757a80")
PLACE = 40
BLOCK = 64  # rows compared at a time
KEEPS_ROWS = True  # its weights are training data and are left out of research crates
ROUNDING = 1e-10  # distances that differ by less, relative to the row's mean square, are ties


class Config(Strict):
    """How many rows are kept."""

    max_rows: int = setting(20_000, "largest number of training rows kept; of more, a random subset", "ours", ge=1)


class Rowset(NamedTuple):
    """Rows prepared for comparison: x (n, F) float64, 0 where absent; power (n, M), the sum of squares of each modality;
    presence (n, M), 0 or 1."""

    x: np.ndarray
    power: np.ndarray
    presence: np.ndarray


def fit(train: Rows, config: Config, seed: int) -> dict[str, np.ndarray]:
    """The training rows whose labels are all known."""
    rows = np.flatnonzero(np.isfinite(train.y).all(1))
    if len(rows) > config.max_rows:
        rows = np.sort(np.random.default_rng(seed).choice(rows, config.max_rows, replace=False))
    kept = prepare(train.x[rows], train.presence[rows], train.owner)
    return {"x": kept.x.astype(np.float32), "presence": kept.presence.astype(np.uint8), "y": train.y[rows].astype(np.float32)}


def predict(state: dict[str, np.ndarray], rows: Inputs, block: int = BLOCK) -> np.ndarray:
    """Predictions (n, n_outputs), ``block`` rows at a time, which bounds memory by ``block`` times the rows kept."""
    y = state["y"].astype(np.float64)
    columns = np.bincount(rows.owner, minlength=rows.presence.shape[1])
    kept = prepare(state["x"], state["presence"], rows.owner)
    queries = prepare(rows.x, rows.presence, rows.owner)
    out = np.tile(y.mean(0), (len(rows.x), 1))
    for i in range(0, len(out), block):
        part = Rowset(*(array[i : i + block] for array in queries))
        distance = distances(part, kept, columns)
        least = distance.min(1)
        tied = least + ROUNDING * (1 + (part.x**2).mean(1))
        nearest = np.argmax(distance <= tied[:, None], axis=1)  # the first of those tied
        found = np.isfinite(least)
        out[i : i + block][found] = y[nearest[found]]
    return out


def prepare(x: np.ndarray, presence: np.ndarray, owner: np.ndarray) -> Rowset:
    """x (n, F), which may hold anything where a modality is absent, presence (n, M), owner (F,) -> rows to compare."""
    present = presence > 0
    # rounded to float32 as rows are stored, so that a copy is at distance 0
    x = np.where(present[:, owner], x, 0.0).astype(np.float32).astype(np.float64)
    return Rowset(x, x**2 @ (owner[:, None] == np.arange(present.shape[1])), present.astype(np.float64))


def distances(a: Rowset, b: Rowset, columns: np.ndarray) -> np.ndarray:
    """Mean squared difference over the features that both have, (n, m), inf where they share none; ``columns`` (M,): number of
    features of each modality.

    sum (a - b)^2 = sum over modalities of present_b |a|^2 + present_a |b|^2, minus 2 a . b, since a and b are 0 where absent:
    three matrix products, two of them only M wide.
    """
    total = a.power @ b.presence.T
    total += a.presence @ b.power.T
    total -= 2 * a.x @ b.x.T
    shared = (a.presence * columns) @ b.presence.T
    out = np.full_like(total, np.inf)
    return np.divide(np.maximum(total, 0, out=total), shared, out=out, where=shared > 0)
