"""Folds of a learning curve: the same people to test on, fewer of those that a fit may read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from himoe.splits.guards import check_within
from himoe.types import HimoeError, Split

STREAM = 2**22  # of the draw, apart from those that deal folds


def fewer_people(split: Split, n: int) -> Split:
    """A fold with ``n`` of the people that it trains and validates on, parted as these are, one of each at least; 0: all.

    Who is among few is among more. The fold's number alone decides who, so that all models and seeds learn from the same.

    Raises
    ------
    HimoeError
        If the fold has no more people than that, or some in both parts.
    """
    if not n:
        return split
    train, valid = (sorted({subject for subject, _ in part}) for part in (split.train, split.valid))
    n_all = len({*train, *valid})
    if not 2 <= n < n_all or n_all < len(train) + len(valid):
        raise HimoeError(
            f"learning_curve.people: fold {split.fold} has {n_all} people to learn from, {n} of whom were asked for"
        )
    n_valid = min(max(1, round(n * len(valid) / n_all)), n - 1)
    rng = np.random.default_rng([STREAM, split.fold])
    learn, judge = (
        set(rng.permutation(np.array(names, object)).tolist()[:k]) for names, k in ((train, n - n_valid), (valid, n_valid))
    )
    fewer = replace(
        split, train={k: v for k, v in split.train.items() if k[0] in learn},
        valid={k: v for k, v in split.valid.items() if k[0] in judge},
    )  # fmt: skip
    check_within(fewer, split)
    return fewer
