"""Intervals over people and seeds: worked by hand, and how often they cover."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from himoe.stats.intervals import interval, variance_of_mean


def test_with_one_seed_and_no_skewness_it_is_the_t_interval():
    values = np.array([1.0, 2, 3, 4, 5])
    found = interval(values[:, None])
    half = stats.t.ppf(0.975, 4) * np.std(values, ddof=1) / np.sqrt(5)
    np.testing.assert_allclose([found.mean, found.low, found.high], [3, 3 - half, 3 + half], rtol=1e-5)


def test_mean_squares_by_hand():
    # people 0, 2 and 4; seed 1 is 1 above seed 0 for everyone: MS_people = 2 * 8 / 2 = 8, MS_seeds = 3 * .5 / 1 = 1.5, rest 0
    values = np.array([0.0, 2, 4])[:, None] + np.array([0.0, 1])
    variance = variance_of_mean(values)
    assert variance.of_mean == pytest.approx((8 + 1.5) / 6)
    assert variance.freedom == pytest.approx(9.5**2 / (8**2 / 2 + 1.5**2 / 1))


def test_what_seeds_share_by_chance_alone_takes_nothing_away():
    """Seeds that agree more than their noise has it leave the variance of people as it is."""
    values = np.array([[0.0, 1], [2, 1], [4, 5], [6, 5]])  # seed means 3 and 3
    assert variance_of_mean(values).of_mean == pytest.approx(2 * np.var([0.5, 1.5, 4.5, 5.5], ddof=1) / (4 * 2))


def test_skewness_moves_the_interval_towards_the_long_tail():
    values = np.array([0.0, 0, 0, 0, 0, 0, 0, 8])
    right, left = interval(values[:, None]), interval(-values[:, None])
    assert right.high - right.mean > right.mean - right.low
    np.testing.assert_allclose([left.low, left.high], [-right.high, -right.low])


def test_no_interval_of_one_person_nor_where_one_is_missing():
    assert np.isnan(interval(np.ones((1, 3))).low)
    assert np.isnan(interval(np.array([[1.0], [np.nan], [2]])).high)


@pytest.mark.parametrize("skewed", [False, True], ids=["normal", "skewed"])
@pytest.mark.parametrize("n_seeds", [1, 3, 5])
@pytest.mark.parametrize("n_people", [6, 8, 23, 32])
def test_coverage(n_people, n_seeds, skewed):
    """At least 93% of nominal 95%: people of SD 1 (skewness 1, a gamma of shape 4), seeds of SD 0.2, the rest of SD 0.5."""
    rng, n_runs = np.random.default_rng([n_people, n_seeds, skewed]), 4000
    shape = (n_runs, n_people, 1)
    people = (rng.gamma(4, size=shape) - 4) / 2 if skewed else rng.standard_normal(shape)
    seeds = 0.2 * rng.standard_normal((n_runs, 1, n_seeds)) * (n_seeds > 1)
    found = interval(people + seeds + 0.5 * rng.standard_normal((n_runs, n_people, n_seeds)))
    assert ((found.low < 0) & (found.high > 0)).mean() >= 0.93
