"""How much of a network is taken beside a read-out: three people, numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.stats.mixture import _smallest, mixture

PEOPLE = np.repeat(["a", "b", "c"], 4)
Y = np.tile([1.0, -1.0, 1.0, -1.0], 3)[:, None]
OTHER = np.tile([1.0, 1.0, -1.0, -1.0], 3)[:, None]  # uncorrelated with Y


def test_a_network_that_says_nothing_has_no_share_and_one_that_says_all_has_the_whole():
    """With the label on one side alone, any share of the other costs everybody the same: no error, and the best is taken."""
    np.testing.assert_allclose(mixture(Y, Y, OTHER, PEOPLE).weights, [[1], [0]])
    np.testing.assert_allclose(mixture(Y, OTHER, Y, PEOPLE).weights, [[0], [1]])
    np.testing.assert_allclose(mixture(Y, Y, Y, PEOPLE).weights, [[1], [0]])  # the smallest of equals


def test_half_each_where_each_knows_half():
    """Y = (u + v) / 2 of uncorrelated u and v: the best mixture is half of each. A spread of 0.1 is brought to 1 first: weights
    share / spread, times the mean of the spreads, 0.5 x 1 + 0.5 x 0.1 = 0.55."""
    u, v = np.tile([1.0, 1.0, -1.0, -1.0], 3)[:, None], Y
    mix = mixture((u + v) / 2, u, 0.1 * v, PEOPLE)
    assert mix.share == pytest.approx(0.5)
    np.testing.assert_allclose(mix.weights, [[0.5 / 1 * 0.55], [0.5 / 0.1 * 0.55]])


def test_one_standard_error():
    """Best: the third, behind it the first by 0.3, 0.1, 0.2 (mean 0.2, error 0.1 / sqrt 3 = 0.058), the second by -0.1, 0.1,
    0.1 (mean 0.033, error 0.067): the second is within one error, the first is not."""
    scores = np.array([[0.1, 0.4, 0.3], [0.5, 0.4, 0.4], [0.4, 0.5, 0.5]])
    assert _smallest(scores) == pytest.approx(0.1)
    assert _smallest(scores[:, :1]) == 0  # one person and target have no error


def test_unknown_labels_are_left_out_and_targets_share_their_share():
    y = np.concatenate([np.where(np.arange(12)[:, None] % 4 == 3, np.nan, Y), OTHER], axis=1)
    both = mixture(y, np.concatenate([Y, OTHER], 1), np.concatenate([OTHER, Y], 1), PEOPLE)
    np.testing.assert_allclose(both.weights, [[1, 1], [0, 0]])
