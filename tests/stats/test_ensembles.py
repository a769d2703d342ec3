"""Intervals by the spread over seeds and by other people's residuals: by hand, and how often they hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from himoe.stats.ensembles import NOMINAL, covered, others_halves, spread_halves


def test_spread_by_hand():
    """Two seeds at 1 and 3: s = sqrt 2, t of one degree of freedom at 75% is 1, so sqrt 2 sqrt(1.5) = sqrt 3 at 50%."""
    assert spread_halves(np.array([[1.0, 3.0]]), 0.5) == pytest.approx(np.sqrt(3))
    t = stats.t.ppf(0.975, 1)
    assert spread_halves(np.array([[1.0, 3.0]]), 0.95) == pytest.approx(t * np.sqrt(3))


@pytest.mark.parametrize("level", NOMINAL)
def test_one_more_seed_is_within_the_spread_as_often_as_said(level):
    drawn = np.random.default_rng(0).standard_normal((40000, 4))
    inside = np.abs(drawn[:, 3] - drawn[:, :3].mean(1)) <= spread_halves(drawn[:, :3], level)
    assert inside.mean() == pytest.approx(level, abs=0.01)


def test_others_by_hand():
    """Three people: a has residuals 1 and 4, b 2, c 3. For b the others weigh 1/6, 1/6 (a) and 1/3 (c): 1/6 at 1, 1/2 at 3, 2/3
    at 4. So 50% is reached at 3, and 80% never."""
    residuals, person = np.array([1.0, 4, 2, 3]), np.array(["a", "a", "b", "c"])
    halves = others_halves(residuals, person, (0.5, 0.8))
    np.testing.assert_array_equal(halves[:, 2], [3, np.inf])
    np.testing.assert_array_equal(halves[0, :2], [3, 3])  # for a: 1/3 at 2, 2/3 at 3
    assert halves[0, 3] == 2  # for c: 1/6 at 1, 1/2 at 2
    assert covered(residuals, halves[0], person) == pytest.approx((0.5 + 1 + 0) / 3)


def test_new_people_are_held_as_often_as_said_whatever_their_number_of_rows():
    """People whose errors differ in size by a factor of four and who have 3 to 40 rows, 300 draws of 24: at least the level,
    by no more than 1 / 24 and what chance does."""
    rng, found = np.random.default_rng(0), []
    for _ in range(300):
        rows = rng.integers(3, 40, 24)
        person = np.repeat(np.arange(24), rows)
        residuals = np.abs(np.repeat(rng.uniform(0.5, 2, 24), rows) * rng.standard_normal(len(person)))
        found.append([covered(residuals, half, person) for half in others_halves(residuals, person)])
    for level, mean in zip(NOMINAL, np.mean(found, axis=0), strict=True):
        assert level - 0.01 <= mean <= level + 1 / 24 + 0.01


def test_fewer_than_twenty_people_have_no_interval_of_95_percent():
    person, residuals = np.repeat(np.arange(20), 5), np.arange(100.0)
    assert np.isfinite(others_halves(residuals, person, (0.95,))).all()
    fewer = person < 19
    assert np.isinf(others_halves(residuals[fewer], person[fewer], (0.95,))).all()
