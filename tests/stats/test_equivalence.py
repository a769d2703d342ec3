"""Two one-sided tests against statsmodels and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from himoe.stats.equivalence import tost
from himoe.stats.intervals import variance_of_mean

PEOPLE = np.array([0.02, -0.01, 0.03, 0.0, 0.015, -0.02, 0.01, 0.005])


@pytest.mark.parametrize("margin", [0.005, 0.02, 0.1])
def test_with_one_seed_it_is_that_of_statsmodels(margin):
    expected = DescrStatsW(PEOPLE).ttost_mean(-margin, margin)[0]
    assert tost(PEOPLE[:, None], margin).p == pytest.approx(expected, rel=1e-9)


def test_by_hand():
    """-1, 0, 1: mean 0, error 1 / sqrt(3), 2 degrees of freedom. Within 2: t = 2 sqrt(3) = 3.46, one-sided p = 1/2 (1 - t /
    sqrt(t^2 + 2)) = .037; the 90% interval is 2.920 / sqrt(3) = 1.69 either way."""
    found = tost(np.array([[-1.0], [0], [1]]), 2.0)
    assert found.mean == 0
    assert found.p == pytest.approx(0.0371, abs=1e-4)
    np.testing.assert_allclose([found.low, found.high], [-1.686, 1.686], atol=1e-3)


@pytest.mark.parametrize("margin", [0.01, 0.02, 0.03])
def test_the_interval_is_within_the_margin_where_p_is_small(margin):
    found = tost(PEOPLE[:, None], margin)
    assert (found.p < 0.05) == (-margin < found.low and found.high < margin)


def test_seeds_are_in_it():
    """Seeds that differ by .04 for everybody: the error of statsmodels' test of people's means knows nothing of that."""
    values = PEOPLE[:, None] + np.array([-0.02, 0.02])
    found, error = tost(values, 0.02), np.sqrt(variance_of_mean(values).of_mean)
    freedom = variance_of_mean(values).freedom
    assert found.p == pytest.approx(stats.t.cdf((PEOPLE.mean() - 0.02) / error, freedom))
    assert found.p > 3 * DescrStatsW(PEOPLE).ttost_mean(-0.02, 0.02)[0]


def test_one_person_and_a_failed_fold_tell_nothing():
    assert np.isnan(tost(np.array([[0.1, 0.2]]), 0.1)[1:]).all()
    assert np.isnan(tost(np.array([[0.1], [np.nan]]), 0.1)).all()
