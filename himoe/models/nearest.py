"""The label of the nearest training row (Cover & Hart 1967, "Nearest neighbor pattern classification").

It can only remember. Where it does well, test rows have near copies among the training rows: it is here to reveal leakage, and
to say what a model that generalises has to beat. Rows are compared over the modalities that both have: the mean squared
difference of their standardised features; a row that shares none with any training row is given the training mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from himoe.config.sections import Strict, setting
from himoe.data.rows import Rows

TITLE = "1-nearest neighbour"
BLOCK = 64  # rows compared at a time
KEEPS_ROWS = True  # its weights are training data: they never leave with a crate
ROUNDING = 1e-10  # distances this close, relative to the row's mean square, are ties


class Config(Strict):
    """How much is remembered."""

    max_rows: int = setting(20_000, "training rows kept at most; a random subset of more", "ours", ge=1)


class Side(NamedTuple):
    """Rows ready to be compared: x (n, F) float64, 0 where absent, power (n, M): a modality's sum of squares, here (n, M): 0 or
    1."""

    x: np.ndarray
    power: np.ndarray
    here: np.ndarray


def fit(train: Rows, config: Config, seed: int) -> dict[str, np.ndarray]:
    """The training rows whose labels are all known."""
    rows = np.flatnonzero(np.isfinite(train.y).all(1))
    if len(rows) > config.max_rows:
        rows = np.sort(np.random.default_rng(seed).choice(rows, config.max_rows, replace=False))
    kept = side(train.x[rows], train.presence[rows], train.owner)
    return {"x": kept.x.astype(np.float32), "presence": kept.here.astype(np.uint8), "y": train.y[rows].astype(np.float32)}


def predict(state: dict[str, np.ndarray], rows: Rows, block: int = BLOCK) -> np.ndarray:
    """(n_rows, n_outputs); memory is bounded by ``block`` times the rows kept."""
    y, columns = state["y"].astype(np.float64), np.bincount(rows.owner, minlength=rows.presence.shape[1])
    kept, asked = (side(*part, rows.owner) for part in ((state["x"], state["presence"]), (rows.x, rows.presence)))
    out = np.tile(y.mean(0), (len(rows.x), 1))
    for i in range(0, len(out), block):
        part = Side(*(array[i : i + block] for array in asked))
        distance = distances(part, kept, columns)
        least = distance.min(1)
        tied = least + ROUNDING * (1 + (part.x**2).mean(1))
        nearest = np.argmax(distance <= tied[:, None], axis=1)  # the first of those tied
        found = np.isfinite(least)
        out[i : i + block][found] = y[nearest[found]]
    return out


def side(x: np.ndarray, presence: np.ndarray, owner: np.ndarray) -> Side:
    """x (n, F), presence (n, M), whatever x holds where a modality is absent -> what :func:`distances` reads."""
    here = presence > 0
    x = np.where(here[:, owner], x, 0.0).astype(np.float32).astype(np.float64)  # as rows are kept: a copy is at distance 0
    return Side(x, x**2 @ (owner[:, None] == np.arange(here.shape[1])), here.astype(np.float64))


def distances(a: Side, b: Side, columns: np.ndarray) -> np.ndarray:
    """Mean squared difference over shared columns, (n, m), inf where nothing is shared; ``columns`` (M,): of each modality.

    sum (a - b)^2 over what is shared = sum over modalities of there |a|^2 + here |b|^2, minus 2 a b, since a and b are 0 where
    absent: three matrix products, two of them only M wide.
    """
    total = a.power @ b.here.T
    total += a.here @ b.power.T
    total -= 2 * a.x @ b.x.T
    shared = (a.here * columns) @ b.here.T
    out = np.full_like(total, np.inf)
    return np.divide(np.maximum(total, 0, out=total), shared, out=out, where=shared > 0)
