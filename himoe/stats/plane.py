"""Where on the plane of ratings a prototype weighs more, beside what permutations of trials within a person give.

Axes: U trials, K prototypes, D targets that span the plane (two, or one), G groups of trials.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

QUANTILE = 0.95


def anchors(n_prototypes: int, n_targets: int) -> np.ndarray:
    """(K, D): where prototypes stand in the network (:func:`himoe.nn.prototypes.anchor_points`), as directions: on the unit
    circle, or evenly from -1 to 1."""
    if n_targets == 1:
        return np.linspace(-1, 1, n_prototypes)[:, None]
    angle = 2 * np.pi * np.arange(n_prototypes) / n_prototypes
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


class Slopes(NamedTuple):
    """``slope`` (K, D): by how much a prototype's weight rises with a standard deviation of each rating, within people;
    ``limit`` (K,): the length that 95% of permutations keep below; ``largest``: that of the longest of all.
    ``homeward``: mean over prototypes of the slope in the direction of its own anchor, which is above 0 where a prototype
    weighs more for what it stands for; its mean and 95th percentile in permutations, and the share of these that reach it."""

    slope: np.ndarray
    limit: np.ndarray
    largest: float
    homeward: float
    chance: float
    chance_95: float
    p: float


def slopes(weights: np.ndarray, ratings: np.ndarray, subject: np.ndarray, n_permutations: int = 1000, seed: int = 0) -> Slopes:
    """Of weights (U, K) on ratings (U, D), both less their means over the person's trials; a rating that does not vary within
    people has none."""
    w, y = _centred(weights, subject), _centred(ratings, subject)
    spread = y.std(0)
    y = y / np.where(spread > 1e-9, spread, np.inf)
    inverse = np.linalg.pinv(y.T @ y)  # permutations within people leave it as it is
    home = anchors(w.shape[1], y.shape[1])
    found, by_chance = (inverse @ y.T @ w).T, np.empty((n_permutations, *home.shape))
    for i, order in enumerate(orders(subject, n_permutations, seed)):
        by_chance[i] = (inverse @ y[order].T @ w).T
    lengths = np.linalg.norm(by_chance, axis=2)  # (n_permutations, K)
    homeward, null = float((found * home).sum(1).mean()), (by_chance * home).sum(2).mean(1)
    p = (1 + (null >= homeward - 1e-12).sum()) / (n_permutations + 1)
    return Slopes(
        found, np.quantile(lengths, QUANTILE, axis=0), float(np.quantile(lengths.max(1), QUANTILE)), homeward,
        float(null.mean()), float(np.quantile(null, QUANTILE)), float(p),
    )  # fmt: skip


def departures(
    weights: np.ndarray, group: np.ndarray, subject: np.ndarray, n_permutations: int = 1000, seed: int = 0
) -> tuple[np.ndarray, float]:  # fmt: skip
    """Mean weight of each group (G, K), groups in the order of their names, less the mean of the groups; and what the largest
    departure of 95% of permutations stays below."""
    names, codes = np.unique(group, return_inverse=True)
    member = np.eye(len(names))[codes]  # (U, G)

    def table(rows: np.ndarray) -> np.ndarray:
        means = rows.T @ weights / np.maximum(rows.sum(0), 1)[:, None]
        return means - means.mean(0)

    largest = [np.abs(table(member[order])).max() for order in orders(subject, n_permutations, seed)]
    return table(member), float(np.quantile(largest, QUANTILE))


def orders(within: np.ndarray, n: int, seed: int) -> list[np.ndarray]:
    """Permutations of rows (U,) that exchange rows of one group alone."""
    codes, rng = np.unique(within, return_inverse=True)[1], np.random.default_rng(seed)
    place, out = np.argsort(codes, kind="stable"), []
    for _ in range(n):
        order = np.empty(len(codes), np.int64)
        order[place] = np.lexsort((rng.random(len(codes)), codes))
        out.append(order)
    return out


def _centred(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    values = values.astype(float).copy()
    for name in np.unique(group):
        values[group == name] -= values[group == name].mean(0)
    return values
