"""How much one grouping of trials tells of another (mutual information, bits), beside what permutations have of it by chance:
the estimate from counts is above 0 where there is nothing to tell (Miller 1955)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd


class Information(NamedTuple):
    """Bits that were found, the mean and the 95th percentile of what permutations find, and the share of them (with the trials
    as they are among them) that find as much."""

    bits: float
    chance: float
    chance_95: float
    p: float


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
    as_much = 1 + int((by_chance >= found - 1e-12).sum())
    return Information(found, float(by_chance.mean()), float(np.quantile(by_chance, 0.95)), as_much / (n_permutations + 1))


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
