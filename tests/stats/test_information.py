"""Bits by hand, and chance that knows what it was told to keep."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from himoe.stats.information import NOT_ASKED, information, information_left, rating_groups

RNG = np.random.default_rng(0)


def test_bits_by_hand():
    """Four equal groups that tell all of two halves: 1 bit. Two of them tell nothing of halves crossed with them: 0."""
    groups, halves = np.tile([0, 1, 2, 3], 50), np.tile([0, 0, 1, 1], 50)
    found = information(groups, halves, np.zeros(200), 200)
    assert found.bits == pytest.approx(1)
    assert found.chance < 0.05
    assert found.p == pytest.approx(1 / 201)
    crossed = information(np.tile([0, 1], 100), halves, np.zeros(200), 200)
    assert crossed.bits == pytest.approx(0, abs=1e-12)
    assert crossed.p == 1


def test_unequal_groups_by_hand():
    """One of four is told apart: H(1/4) = .8113 bits."""
    rare = np.tile([1, 0, 0, 0], 50)
    assert information(rare, rare, np.zeros(200), 50).bits == pytest.approx(0.8113, abs=1e-4)


def test_chance_is_what_an_independent_router_finds():
    p_values = [information(RNG.integers(8, size=100), RNG.integers(4, size=100), np.zeros(100), 99, i).p for i in range(200)]
    assert 0.01 <= np.mean(np.array(p_values) <= 0.05) <= 0.09


def test_what_the_person_tells_of_both_is_no_finding():
    """Routing and rating both hang on the person alone: they share a bit, and within people nothing."""
    person = np.repeat(np.arange(20), 10)
    both = (person % 2).astype(int)
    flat, within = information(both, both, np.zeros(200), 200), information(both, both, person, 200)
    assert flat.p < 0.01
    assert within.bits == pytest.approx(1)
    assert within.chance == pytest.approx(1)
    assert within.p == 1


def test_what_is_left_by_hand():
    """Two halves, told apart in every cell of persons and clips: r^2 is 1 for all four pairs of indicators, 4/4 / (2 ln 2)."""
    person, clip, half = np.indices((3, 4, 2)).reshape(3, -1)
    found = information_left(half, half, person, clip, 200)
    assert found.bits == pytest.approx(1 / (2 * np.log(2)))
    assert found.p == pytest.approx(1 / 201)
    assert information_left(person, half, person, clip, 50)[::3] == (0, 1)
    assert information_left(half, half, person, np.arange(24), 50) is NOT_ASKED


@pytest.mark.parametrize("of_clip", [0, 0.4])
def test_a_router_that_differs_by_person_tells_nothing_beyond_the_clip(of_clip):
    """People's levels have SD 1.5, what is each trial's own .5, and each person has a part of its own that leads most often. Of
    100 draws 5 or so are below .05; with trials exchanged within clips, and no more, 22 and 50 are."""
    rng, p_values, within_clips = np.random.default_rng(0), [], []
    person, clip = np.indices((12, 10)).reshape(2, -1)
    for draw in range(100):
        rating = 1.5 * rng.standard_normal(12)[person] + rng.standard_normal(10)[clip] + 0.5 * rng.standard_normal(120)
        leads = np.where(rng.random(120) < 0.6, rng.integers(8, size=12)[person], rng.integers(8, size=120))
        leads = np.where(rng.random(120) < of_clip, rng.integers(8, size=10)[clip], leads)
        p_values.append(information_left(leads, rating > 0, person, clip, 99, draw).p)
        within_clips.append(information(leads, rating > 0, clip, 99, draw).p)
    assert 0.01 <= np.mean(np.array(p_values) <= 0.05) <= 0.11
    assert np.mean(np.array(within_clips) <= 0.05) > 0.15


def test_quadrants_and_thirds():
    labels = pd.DataFrame({"valence": [1.0, 2, 8, 9], "arousal": [1.0, 9, 2, 8]})
    assert rating_groups(labels, ("valence", "arousal")).tolist() == [
        "low val, low aro", "low val, high aro", "high val, low aro", "high val, high aro",
    ]  # fmt: skip
    assert rating_groups(pd.DataFrame({"arousal": [3.0, 1, 2]}), ("arousal",)).tolist() == [
        "high third", "low third", "middle third",
    ]  # fmt: skip
