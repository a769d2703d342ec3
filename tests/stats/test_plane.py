"""Slopes of prototype weights on the plane of ratings, by hand, planted, and in noise."""

from __future__ import annotations

import numpy as np

from himoe.stats.plane import anchors, departures, orders, slopes

SUBJECT = np.repeat([f"s{i}" for i in range(20)], 8)


def test_anchors_are_those_of_the_network():
    from himoe.nn.prototypes import anchor_points

    for n_targets in (1, 2):
        np.testing.assert_allclose(1.5 * anchors(8, n_targets), anchor_points(8, n_targets).numpy(), atol=1e-6)


def test_slopes_by_hand():
    """Ratings -1 and 1 in each of two people (SD 1), one of them higher throughout; the weight rises by .2 from one to the
    other, .1 a standard deviation, whatever a person's mean is. The second prototype stays."""
    ratings = np.array([[-1.0], [1.0], [4.0], [6.0]])
    weights = np.array([[0.0, 0.5], [0.2, 0.5], [0.7, 0.1], [0.9, 0.1]])
    found = slopes(weights, ratings, np.array(["a", "a", "b", "b"]), n_permutations=50)
    np.testing.assert_allclose(found.slope, [[0.1], [0.0]], atol=1e-12)
    np.testing.assert_allclose(found.homeward, -0.05)  # the first one's anchor is -1


def test_prototypes_that_weigh_more_for_what_they_stand_for_are_found():
    rng = np.random.default_rng(0)
    ratings = rng.standard_normal((160, 2))
    weights = 0.02 * ratings @ anchors(8, 2).T + 0.02 * rng.standard_normal((160, 8))
    found = slopes(weights, ratings, SUBJECT)
    assert found.p < 0.01
    assert (np.linalg.norm(found.slope, axis=1) > found.largest).all()
    np.testing.assert_allclose(found.homeward, 0.02, atol=0.003)


def test_noise_follows_nothing():
    rng = np.random.default_rng(1)
    ratings = rng.standard_normal((160, 2)) + np.repeat(rng.standard_normal((20, 2)), 8, axis=0)
    found = slopes(rng.standard_normal((160, 8)), ratings, SUBJECT)
    assert found.p > 0.05
    assert (np.linalg.norm(found.slope, axis=1) < found.largest).all()
    table, limit = departures(rng.standard_normal((160, 8)), np.array(["a", "b"])[(ratings[:, 0] > 0).astype(int)], SUBJECT)
    assert (np.abs(table) < limit).all()


def test_a_rating_that_does_not_vary_has_no_slope():
    found = slopes(np.random.default_rng(0).random((160, 4)), np.zeros((160, 2)), SUBJECT, n_permutations=20)
    np.testing.assert_array_equal(found.slope, np.zeros((4, 2)))


def test_departures_by_hand():
    """Means 1 and 3 of the first prototype, 5 and 5 of the second: 1 below and above their mean, and none."""
    group, subject = np.array(["low", "high"] * 8), np.repeat(list("abcdefgh"), 2)
    weights = np.array([[1.0, 5.0], [3.0, 5.0]] * 8)
    table, limit = departures(weights, group, subject)
    np.testing.assert_allclose(table, [[1, 0], [-1, 0]])  # high, low
    assert 0 < limit < 1  # all eight the same way by chance: one in 128


def test_rows_stay_in_their_group():
    for order in orders(SUBJECT, 5, 0):
        assert (SUBJECT[order] == SUBJECT).all()
        assert sorted(order) == list(range(160))
