"""How much one grouping of trials tells of another (mutual information, bits), beside what permutations have of it by chance:
the estimate from counts is above 0 where there is nothing to tell (Miller 1955). And what is left of that once two other
groupings are taken out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from himoe.stats.plane import orders

ROUNDING = 1e-9  # squared length of an indicator of which nothing is left


class Information(NamedTuple):
    """Bits that were found, the mean and the 95th percentile of what permutations find, and the share of them (with the trials
    as they are among them) that find as much."""

    bits: float
    chance: float
    chance_95: float
    p: float


NOT_ASKED = Information(np.nan, np.nan, np.nan, np.nan)


def information(a: np.ndarray, b: np.ndarray, within: np.ndarray, n_permutations: int = 1000, seed: int = 0) -> Information:
    """Of groups ``a`` about groups ``b``, each (n_trials,) of any values. Permutations exchange trials with the same value of
    ``within`` alone, so that what this tells of both is in the chance, too."""
    codes_a, codes_b, groups = (np.unique(np.asarray(v).astype(str), return_inverse=True)[1] for v in (a, b, within))
    order = np.argsort(groups, kind="stable")
    codes_a, codes_b, groups = codes_a[order], codes_b[order], groups[order]
    found = _bits(codes_a, codes_b)
    rng = np.random.default_rng(seed)
    by_chance = np.empty(n_permutations)
    for i in range(n_permutations):
        shuffled = np.lexsort((rng.random(len(groups)), groups))  # trials stay within their group
        by_chance[i] = _bits(codes_a[shuffled], codes_b)
    return _beside(found, by_chance)


def information_left(
    a: np.ndarray, b: np.ndarray, person: np.ndarray, clip: np.ndarray, n_permutations: int = 1000, seed: int = 0
) -> Information:  # fmt: skip
    """Of groups ``a`` about groups ``b`` once the person and the clip, each (n_trials,), are taken out of both: least-squares
    residuals of the indicators of their groups. With r the correlations of these and s the shares of trials in a group::

        bits = sum over groups of r^2 (1 - s_a) (1 - s_b) / (2 ln 2)

    which is chi-square / (2 n ln 2), close to mutual information where little is told, if nothing is taken out. Permutations
    exchange the residuals of ``b`` within a clip and take the person out again: a router, or a rater, that differs by person
    or by clip alone tells nothing. NaN where person and clip leave nothing, as where clips are each one's own."""
    design = np.concatenate([_indicators(person), _indicators(clip)], axis=1)
    basis, sizes, _ = np.linalg.svd(design, full_matrices=False)
    basis = basis[:, sizes > 1e-9 * sizes[0]]
    if basis.shape[1] == len(basis):
        return NOT_ASKED

    def left(values: np.ndarray) -> np.ndarray:
        """Residuals of length 1; 0 where there are none."""
        values = values - basis @ (basis.T @ values)
        square = (values**2).sum(0)
        return values / np.sqrt(np.where(square > ROUNDING, square, np.inf))

    groups_a, groups_b = _indicators(a), _indicators(b)
    weights = np.outer(1 - groups_a.mean(0), 1 - groups_b.mean(0)) / (2 * np.log(2))
    left_a, residual_b = left(groups_a), groups_b - basis @ (basis.T @ groups_b)
    turns = [np.arange(len(residual_b)), *orders(clip, n_permutations, seed)]
    bits = np.array([(weights * (left_a.T @ left(residual_b[order])) ** 2).sum() for order in turns])
    return _beside(float(bits[0]), bits[1:])


def _indicators(groups: np.ndarray) -> np.ndarray:
    """(n_trials, n_groups)."""
    codes = np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]
    return np.eye(codes.max() + 1)[codes]


def _beside(found: float, by_chance: np.ndarray) -> Information:
    as_much = 1 + int((by_chance >= found - 1e-12).sum())
    return Information(found, float(by_chance.mean()), float(np.quantile(by_chance, 0.95)), as_much / (len(by_chance) + 1))


def _bits(a: np.ndarray, b: np.ndarray) -> float:
    """Mutual information of two codings of the same trials."""
    counts = np.bincount(a * (b.max() + 1) + b, minlength=(a.max() + 1) * (b.max() + 1)).reshape(a.max() + 1, -1)
    joint = counts / len(a)
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    there = joint > 0
    return float((joint[there] * np.log2(joint[there] / independent[there])).sum())


def rating_groups(labels: pd.DataFrame, targets: tuple[str, ...]) -> pd.Series:
    """Group of each trial by what was reported: quadrants of the first two targets around their medians, or thirds of one.
    ``labels`` has a column for each target."""
    if len(targets) == 1:
        thirds = ["low third", "middle third", "high third"]
        return pd.qcut(labels[targets[0]].rank(method="first"), 3, labels=thirds).astype(str)
    a, b = targets[:2]
    sign = {True: "high", False: "low"}
    high_a, high_b = labels[a] > labels[a].median(), labels[b] > labels[b].median()
    return pd.Series([f"{sign[x]} {a[:3]}, {sign[y]} {b[:3]}" for x, y in zip(high_a, high_b, strict=True)], labels.index)
