"""Gradient boosting of regression trees (Friedman 2001, "Greedy function approximation: a gradient boosting machine") on binned
features (Ke et al. 2017, LightGBM), as scikit-learn's HistGradientBoostingRegressor grows them, one ensemble per target.

Missing-aware by the trees' own means: features of an absent modality are NaN, and a split learns where those go if it met
any in training (else they follow the larger side); rows are as recorded, without the losses that networks are trained with. The
number of trees is chosen by leaving groups of training subjects out. Trees are stored as plain arrays and walked with numpy.

Axes: K targets, J trees, V nodes of the largest tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from himoe.config.sections import Strict, setting
from himoe.data.rows import Rows
from himoe.stats.metrics import ccc

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

TITLE = "Gradient boosting"
SPACE = {"learning_rate": (0.02, 0.05, 0.1), "max_leaves": (4, 15, 31), "min_samples_leaf": (5, 20, 50), "l2": (0.0, 1.0, 10.0)}
N_GROUPS = 3
STRIDE = 10  # candidate numbers of trees: every tenth
BLOCK = 2048  # rows walked at a time


class Config(Strict):
    """Size of trees and ensemble."""

    learning_rate: float = setting(0.05, "shrinkage of each tree", "ours; small steps: Friedman 2001", gt=0, le=1)
    max_trees: int = setting(200, "trees per target at most; how many is chosen on left-out subjects", "ours", ge=1)
    max_leaves: int = setting(15, "leaves of a tree at most", "ours", ge=2)
    min_samples_leaf: int = setting(20, "rows in a leaf at least; a tenth of the rows where that is fewer", "ours", ge=1)
    l2: float = setting(1.0, "L2 penalty of the leaves' values", "ours", ge=0)
    max_rows: int = setting(50_000, "training rows at most; a random subset of more (labels per token are many)", "ours", ge=10)


def fit(train: Rows, config: Config, seed: int) -> dict[str, np.ndarray]:
    """Trees per target, their number the one with the best mean CCC on left-out subjects."""
    from threadpoolctl import threadpool_limits

    rows = np.flatnonzero(np.isfinite(train.y).any(1))
    if len(rows) > config.max_rows:
        rows = np.sort(np.random.default_rng(seed).choice(rows, config.max_rows, replace=False))
    x, y = design(train)[rows], train.y[rows].astype(np.float64)
    with threadpool_limits(1, user_api="openmp"):  # sums over threads would round differently from run to run
        n_trees = _n_trees(x, y, _groups(train.subject[rows], seed), config, seed)
        models = [_grow(x, y[:, k], config, n_trees, seed) for k in range(y.shape[1])]
    return export(models)


def predict(state: dict[str, np.ndarray], rows: Rows) -> np.ndarray:
    """(n_rows, n_outputs): each row from the root of every tree to a leaf, a block of rows at a time."""
    x = design(rows)
    blocks = [x[i : i + BLOCK] for i in range(0, len(x), BLOCK)] or [x]
    return np.concatenate([_walk(state, block) for block in blocks])


def design(rows: Rows) -> np.ndarray:
    """Features, NaN where their modality is absent."""
    return np.where((rows.presence > 0)[:, rows.owner], rows.x, np.nan)


def export(models: list[HistGradientBoostingRegressor]) -> dict[str, np.ndarray]:
    """Models of equally many trees as arrays (K, J, V), baseline (K,). A leaf's children are the leaf itself, so that a
    walk that has arrived stays; what lies beyond a tree's last node is never reached."""
    trees = [[tree.nodes for (tree,) in model._predictors] for model in models]
    shape = len(trees), len(trees[0]), max(len(nodes) for own in trees for nodes in own)
    own = np.arange(shape[2], dtype=np.int32)
    state = {name: np.tile(own, (*shape[:2], 1)) for name in ("left", "right")}
    state |= {"feature": np.zeros(shape, np.int32), "missing_left": np.zeros(shape, np.uint8)}
    state |= {"threshold": np.zeros(shape), "value": np.zeros(shape)}
    fields = {"feature": "feature_idx", "threshold": "num_threshold", "missing_left": "missing_go_to_left", "value": "value"}
    for k, j in np.ndindex(shape[:2]):
        nodes, n = trees[k][j], len(trees[k][j])
        for name, field in fields.items():
            state[name][k, j, :n] = nodes[field]
        for name in ("left", "right"):
            state[name][k, j, :n] = np.where(nodes["is_leaf"], own[:n], nodes[name])
    return state | {"baseline": np.array([float(np.squeeze(model._baseline_prediction)) for model in models])}


def _walk(state: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """x (n, F) -> (n, K)."""
    n_targets, n_trees, n_nodes = state["left"].shape
    flat = {name: state[name].reshape(-1) for name in ("feature", "threshold", "missing_left", "left", "right", "value")}
    root = n_nodes * np.arange(n_targets * n_trees)[:, None]  # of every tree, among the nodes of all
    node, row = np.tile(root, (1, len(x))), np.arange(len(x))
    while True:
        value = x[row, flat["feature"][node]]
        left = np.where(np.isnan(value), flat["missing_left"][node] > 0, value <= flat["threshold"][node])
        below = root + np.where(left, flat["left"][node], flat["right"][node])
        if (below == node).all():
            break
        node = below
    return flat["value"][node].reshape(n_targets, n_trees, -1).sum(1).T + state["baseline"]


def _grow(x: np.ndarray, y: np.ndarray, config: Config, n_trees: int, seed: int) -> HistGradientBoostingRegressor:
    """An ensemble for one target; rows whose label is unknown are left out."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    known = np.isfinite(y)
    x, y = x[known], y[known]
    x = np.where(np.isnan(x).all(0), 0.0, x)  # scikit-learn fails on a column of NaN alone; a constant one is never split
    leaf = min(config.min_samples_leaf, max(1, len(y) // 10))
    model = HistGradientBoostingRegressor(
        learning_rate=config.learning_rate, max_iter=n_trees, max_leaf_nodes=config.max_leaves, min_samples_leaf=leaf,
        l2_regularization=config.l2, early_stopping=False, random_state=seed,
    )  # fmt: skip
    return model.fit(x, y)


def _groups(subject: np.ndarray, seed: int) -> np.ndarray:
    """(n,) int: at most three groups of whole subjects; thirds of the rows, in their order, where there is one subject."""
    names, index = np.unique(subject.astype(str), return_inverse=True)
    if len(names) == 1:
        return np.arange(len(subject)) * N_GROUPS // len(subject)
    return (np.random.default_rng(seed).permutation(len(names)) % N_GROUPS)[index]


def _n_trees(x: np.ndarray, y: np.ndarray, group: np.ndarray, config: Config, seed: int) -> int:
    """The number of trees with the best CCC, mean over targets, when each group is left out in turn."""
    stages = sorted({*range(STRIDE, config.max_trees + 1, STRIDE), config.max_trees})
    left_out = np.empty((len(stages), *y.shape))
    for g in np.unique(group):
        here = group == g
        for k in range(y.shape[1]):
            staged = _grow(x[~here], y[~here, k], config, config.max_trees, seed).staged_predict(x[here])
            for n, said in enumerate(staged, 1):
                if n in stages:
                    left_out[stages.index(n), here, k] = said
    known = np.isfinite(y)
    columns = [(y[known[:, k], k], left_out[:, known[:, k], k]) for k in range(y.shape[1])]
    return stages[int(np.argmax([np.mean([ccc(true, said[s]) for true, said in columns]) for s in range(len(stages))]))]
