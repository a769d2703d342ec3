"""A lead planted at the level of scores is found as often as the design is said to find it, one that is not there is not: the
judging of a run from its scores to its word, over 60 runs of one rival (500, and of twelve, in bench_verdicts.py)."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.stats.levels import levels
from tests.report.scores import SPREAD, drawn
from tests.stats.planted_effects import SMALLEST, Planted, seen_with_80_percent

N_RUNS = 60


@pytest.mark.parametrize("n_people", [8, 23, 32])
def test_found_at_the_stated_power(n_people, tmp_path):
    """Of 60 runs at a chance of 80% so many are within three standard errors, .155, of 48; at 5% no more than 8 of 60 are. What
    a run says of itself, from its own spread, is about the lead that was planted."""
    planted = Planted("C7", n_people, tmp_path, 100)
    lead = seen_with_80_percent(planted)
    seen = planted.judged(lead, N_RUNS)
    assert abs(seen.supported - 0.8) <= 0.155
    assert seen.detectable == pytest.approx(lead, rel=0.2)
    none = planted.judged(0.0, N_RUNS, of_one=True)
    assert none.supported <= 0.13
    assert none.false_support <= 0.05


def test_the_smallest_effect_is_found_as_seldom_as_stated(tmp_path):
    """One rival, 23 people, a lead of .02: power of a third; three standard errors are .18."""
    small = Planted("C7", 23, tmp_path, 200).judged(SMALLEST, N_RUNS)
    assert abs(small.supported - small.power) <= 0.18
    assert 0.2 < small.power < 0.5


def test_drawn_scores_vary_as_they_should():
    """Leads of 2,000 people under 20 seeds: .06 over people, .02 left, correlated by 1/2 between two rivals."""
    values = levels(drawn({"himoe": 0.3, "a": 0.2, "b": 0.1}, 2000, 20, np.random.default_rng(0)))
    leads = np.stack([values["himoe"] - values[m] for m in "ab"])  # (2, n_people, n_seeds)
    people = leads.mean(2)
    np.testing.assert_allclose(people.std(1), SPREAD["people"], rtol=0.05)
    assert np.corrcoef(people)[0, 1] == pytest.approx(0.5, abs=0.05)
    rest = leads - leads.mean(2, keepdims=True) - leads.mean(1, keepdims=True) + leads.mean((1, 2), keepdims=True)
    np.testing.assert_allclose(rest.std((1, 2)), SPREAD["rest"], rtol=0.05)
    np.testing.assert_allclose(leads.mean((1, 2)), [0.1, 0.2], atol=0.01)
