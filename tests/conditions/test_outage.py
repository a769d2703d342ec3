"""Outages: from which token on, for how long, and how many modalities stay."""

from __future__ import annotations

import pytest

from tests.conditions.perturbing import apply, trial


@pytest.mark.parametrize(
    ("name", "n", "left"),
    [
        *(("outage", 6, 3), ("outage", 5, 3), ("outage", 2, 1), ("outage", 1, 1)),
        *(("outage_most", 6, 2), ("outage_most", 3, 2), ("outage_most", 2, 1), ("outage_most", 1, 1)),
    ],
)
def test_so_many_stay_for_so_long(name, n, left):
    tokens = trial(max(n, 2))
    if n == 1:
        tokens.mask[:, 1] = False
    there = apply(name, tokens, 3.0).mask.sum(1)
    assert (there[:8] == n).all()  # a third of 24 tokens
    assert (there[8:14] == left).all()  # 3 s at 2 Hz
    assert (there[14:] == n).all()
    assert (apply(name, tokens, 99.0).mask.sum(1)[8:] == left).all()  # to the end, not beyond


def test_which_ones_go_is_drawn():
    tokens = trial(6)
    gone = {tuple(apply("outage_most", tokens, 3.0, i).mask[10]) for i in range(20)}
    assert len(gone) > 5
