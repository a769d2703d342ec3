"""The line of labels on predictions and their bins, by hand and on what was planted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from himoe.stats.reliability import bins, less_reference, line


def rows(y, predicted, seed=0):
    """(people, labels) arrays as rows."""
    n_people, n = np.shape(y)
    subject = np.repeat([f"s{i}" for i in range(n_people)], n)
    return pd.DataFrame({"subject": subject, "seed": seed, "y_true": np.ravel(y), "predicted": np.ravel(predicted)})


def test_slope_and_level_by_hand():
    """Labels 4, 6, 8 where 4, 5, 6 was said: slope 2, and at 5, the middle, 6 is right: 1 to be added."""
    found = line(rows([[4, 6, 8]] * 4, [[4, 5, 6]] * 4), 5.0)
    np.testing.assert_allclose(found.slope, [2, 2, 2])
    np.testing.assert_allclose(found.level, [1, 1, 1])
    assert found.n_people == 4


def test_people_weigh_the_same():
    """One with twice as many labels, whose slope is 1, and one with slope 3, of equal spread: 2, not 5/3."""
    one = rows([[-1, 1, -1, 1]], [[-1, 1, -1, 1]])
    other = rows([[-3, 3]], [[-1, 1]]).assign(subject="other")
    np.testing.assert_allclose(line(pd.concat([one, other]), 0.0).slope.mean, 2)


def test_intervals_hold_a_planted_slope_and_level():
    """Slope .5 and level .3, seeds that differ: in 95 of 100 draws or so the interval holds both."""
    held = []
    for draw in range(100):
        rng = np.random.default_rng(draw)
        parts = []
        y = rng.standard_normal((20, 15)) + 0.5 * rng.standard_normal((20, 1)) + 5.3
        for seed in (0, 1, 2):
            predicted = rng.standard_normal((20, 15)) + 5
            parts.append(rows(0.5 * (predicted - 5) + 0.866 * (y - 5.3) + 5.3, predicted, seed))
        found = line(pd.concat(parts), 5.0)
        held.append((found.slope.low < 0.5 < found.slope.high, found.level.low < 0.3 < found.level.high))
    assert (np.mean(held, axis=0) >= 0.88).all()


def test_bins_are_equally_filled():
    found = bins(rows([[1, 2, 3, 4, 5, 6]], [[10, 20, 30, 40, 50, 60]]), 3)
    assert found["n"].tolist() == [2, 2, 2]
    assert found["predicted"].tolist() == [15, 35, 55]
    assert found["y_true"].tolist() == [1.5, 3.5, 5.5]


def test_one_prediction_for_all_is_one_bin():
    found = bins(rows([[1, 2, 3, 4]], [[5, 5, 5, 5]]), 3)
    assert found.to_numpy().tolist() == [[5, 2.5, 4]]


def test_the_mean_of_the_others_is_taken_out():
    np.testing.assert_allclose(less_reference(np.array([5.0, 7.0]), np.array([4.0, 6.0])), [6, 6])
