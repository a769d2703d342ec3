"""Gradient boosting of regression trees (Friedman 2001, "Greedy function approximation: a gradient boosting machine") on binned
features (Ke et al. 2017, LightGBM), by scikit-learn's HistGradientBoostingRegressor, one ensemble per target.

Gaps of a modality are interpolated over time within a trial. Where labels vary within a trial, the trees see a token's
features and their means over the tokens around it; otherwise the mean over the trial. A modality that is absent from the whole
trial is left to the trees: its features are NaN, and a split learns which side they go to if it saw any in training (else they
follow the larger side). Rows are as recorded, without the augmentation of networks. The number of trees and the scale of the
predictions (their slope about the training mean, per target) are chosen together by leaving out groups of training subjects,
by what is reported: the mean of every person's CCC. Trees are stored as plain arrays and evaluated with numpy.

Axes: n rows, F features, K targets, C candidate numbers of trees, J trees, V nodes of the largest tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from himoe.config.sections import Strict, setting
from himoe.data.rows import Inputs, Rows
from himoe.models._left_out import choose, sums_of

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

TITLE = "Gradient boosting"
COLOUR = ("#4d7f76", "#2d8072")
PLACE = 70
SPACE = {"learning_rate": (0.02, 0.05, 0.1), "max_leaves": (4, 15, 31), "min_samples_leaf": (5, 20, 50), "l2": (0.0, 1.0, 10.0)}
N_GROUPS = 3
STRIDE = 10  # candidate numbers of trees: multiples of it
BLOCK = 2048  # rows evaluated at a time


class Config(Strict):
    """Sizes of the trees and of the ensemble."""

    lag_seconds: float = setting(
        2.0, "means over this long before and after a token stand beside its features where labels vary within a trial, s",
        "ours", ge=0,
    )  # fmt: skip
    learning_rate: float = setting(0.05, "shrinkage of each tree", "ours; small steps: Friedman 2001", gt=0, le=1)
    max_trees: int = setting(200, "largest number of trees per target; the number is chosen on left-out subjects", "ours", ge=1)
    max_leaves: int = setting(15, "largest number of leaves of a tree", "ours", ge=2)
    min_samples_leaf: int = setting(
        20, "smallest number of rows in a leaf; a tenth of all rows where that is fewer", "ours", ge=1
    )
    l2: float = setting(1.0, "L2 penalty of the values of leaves", "ours", ge=0)
    max_rows: int = setting(
        50_000, "largest number of training rows (labels per token are many); of more, a random subset", "ours", ge=10
    )


def fit(train: Rows, config: Config, seed: int) -> dict[str, np.ndarray]:
    """An ensemble per target, of the number of trees and with the scale of the best mean CCC of left-out people."""
    from threadpoolctl import threadpool_limits

    rows = np.flatnonzero(np.isfinite(train.y).any(1))
    if len(rows) > config.max_rows:
        rows = np.sort(np.random.default_rng(seed).choice(rows, config.max_rows, replace=False))
    lags = train.lags(config.lag_seconds, 0)
    x, y, subject = design(train, lags)[rows], train.y[rows].astype(np.float64), train.subject[rows].astype(str)
    with threadpool_limits(1, user_api="openmp"):  # sums over several threads would round differently from run to run
        n_trees, scale = _choices(x, y, subject, config, seed)
        models = [grow_trees(x, y[:, k], config, n_trees, seed) for k in range(y.shape[1])]
    return export(models) | {"scale": scale, "lags": lags}


def predict(state: dict[str, np.ndarray], rows: Inputs) -> np.ndarray:
    """Predictions (n, K), a block of rows at a time."""
    x = design(rows, state["lags"])
    blocks = [x[i : i + BLOCK] for i in range(0, len(x), BLOCK)] or [x]
    return state["baseline"] + state["scale"] * np.concatenate([_evaluate(state, block) for block in blocks])


def design(rows: Inputs, lags: np.ndarray) -> np.ndarray:
    """Features (n, F), and where there are lags their means over these too (n, 2 F); NaN where their modality is absent from
    the whole trial."""
    x = np.where(rows.ever()[:, rows.owner], rows.filled, np.nan)
    if len(lags) == 1:
        return x
    around = sum(x[rows.at(int(lag))] for lag in lags) / len(lags)
    return np.concatenate([x, around], axis=1)


def export(models: list[HistGradientBoostingRegressor]) -> dict[str, np.ndarray]:
    """Models of equally many trees as arrays (K, J, V) and their baselines (K,).

    The children of a leaf are the leaf itself, so that a row that has reached it stays; entries beyond the last node of a tree
    are never reached.
    """
    trees = [[tree.nodes for (tree,) in model._predictors] for model in models]
    shape = len(trees), len(trees[0]), max(len(nodes) for ensemble in trees for nodes in ensemble)
    index = np.arange(shape[2], dtype=np.int32)
    state: dict[str, np.ndarray] = {name: np.tile(index, (*shape[:2], 1)) for name in ("left", "right")}
    state |= {"feature": np.zeros(shape, np.int32), "missing_left": np.zeros(shape, np.uint8)}
    state |= {"threshold": np.zeros(shape), "value": np.zeros(shape)}
    fields = {"feature": "feature_idx", "threshold": "num_threshold", "missing_left": "missing_go_to_left", "value": "value"}
    for k, j in np.ndindex(shape[:2]):
        nodes, n = trees[k][j], len(trees[k][j])
        for name, field in fields.items():
            state[name][k, j, :n] = nodes[field]
        for name in ("left", "right"):
            state[name][k, j, :n] = np.where(nodes["is_leaf"], index[:n], nodes[name])
    return state | {"baseline": np.array([float(np.squeeze(model._baseline_prediction)) for model in models])}


def _evaluate(state: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Every row of x (n, F) down all trees at once, a level at a time; the sum of its leaves (n, K)."""
    n_targets, n_trees, n_nodes = state["left"].shape
    flat = {name: state[name].reshape(-1) for name in ("feature", "threshold", "missing_left", "left", "right", "value")}
    root = n_nodes * np.arange(n_targets * n_trees)[:, None]  # (K*J, 1): of every tree, among the nodes of all
    node = np.tile(root, (1, len(x)))  # (K*J, n)
    row = np.arange(len(x))
    while True:
        value = x[row, flat["feature"][node]]
        left = np.where(np.isnan(value), flat["missing_left"][node] > 0, value <= flat["threshold"][node])
        child = root + np.where(left, flat["left"][node], flat["right"][node])
        if (child == node).all():
            break
        node = child
    return flat["value"][node].reshape(n_targets, n_trees, -1).sum(1).T


def grow_trees(x: np.ndarray, y: np.ndarray, config: Config, n_trees: int, seed: int) -> HistGradientBoostingRegressor:
    """An ensemble for one target y (n,) on x (n, F); rows of unknown label are left out."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    known = np.isfinite(y)
    x, y = x[known], y[known]
    x = np.where(np.isnan(x).all(0), 0.0, x)  # scikit-learn fails on an all-NaN column; a constant is never split
    leaf = min(config.min_samples_leaf, max(1, len(y) // 10))
    model = HistGradientBoostingRegressor(
        learning_rate=config.learning_rate, max_iter=n_trees, max_leaf_nodes=config.max_leaves, min_samples_leaf=leaf,
        l2_regularization=config.l2, early_stopping=False, random_state=seed,
    )  # fmt: skip
    return model.fit(x, y)


def subject_groups(subject: np.ndarray, seed: int) -> np.ndarray:
    """Group of every row (n,) int: three groups of whole subjects, fewer of fewer; consecutive thirds of a single subject."""
    names, index = np.unique(subject.astype(str), return_inverse=True)
    if len(names) == 1:
        return np.arange(len(subject)) * N_GROUPS // len(subject)
    return (np.random.default_rng(seed).permutation(len(names)) % N_GROUPS)[index]


def _choices(
    x: np.ndarray, y: np.ndarray, subject: np.ndarray, config: Config, seed: int
) -> tuple[int, np.ndarray]:  # fmt: skip
    """The candidate number of trees with the best CCC, mean over people and targets, and the scale (K,) that goes with it, each
    group being left out in turn."""
    candidates = sorted({*range(STRIDE, config.max_trees + 1, STRIDE), config.max_trees})
    predicted, level = np.empty((len(candidates), *y.shape)), np.empty(y.shape)  # (C, n, K), by trees grown without its group
    group = subject_groups(subject, seed)
    for g in np.unique(group):
        here = group == g
        for k in range(y.shape[1]):
            model = grow_trees(x[~here], y[~here, k], config, config.max_trees, seed)
            level[here, k] = np.squeeze(model._baseline_prediction)
            for n, prediction in enumerate(model.staged_predict(x[here]), 1):
                if n in candidates:
                    predicted[candidates.index(n), here, k] = prediction
    people = np.unique(subject)
    predicted -= level
    of_people = [sums_of(predicted[:, subject == name], (y - level)[subject == name]) for name in people]
    best, scale = choose(np.stack(of_people, axis=1), people, together=True)
    return candidates[best[0]], scale
