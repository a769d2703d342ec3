"""Conditions that make a trial asynchronous: where each token's data come from, worked by hand."""

from __future__ import annotations

import numpy as np

from himoe.conditions import drift, jitter, label_lag, sampling_rate, shift_missing, shift_missing_most
from himoe.data.perturbation import perturbed
from tests.conditions.perturbing import trial


class Drawn:
    """A generator that draws what it is given."""

    def __init__(self, values):
        self.values = np.array(values)

    def uniform(self, low, high, shape):
        return np.broadcast_to(self.values, shape)

    integers = uniform


def test_jitter_moves_each_token_by_its_own():
    """Within a second, two tokens: late by -2, -1, 0, 1 and 2."""
    drawn = np.repeat([[-1.0], [-0.5], [0.0], [0.5], [1.0]], 2, axis=1)
    np.testing.assert_array_equal(jitter.draw(trial(2, 5), 1, Drawn(drawn)).source[:, 0], [2, 2, 2, 2, 2])
    np.testing.assert_array_equal(jitter.draw(trial(2, 5), 2, Drawn(drawn)).source[:, 0], [4, 3, 2, 1, 0])


def test_jitter_is_uniform_and_of_every_modality_its_own():
    source = jitter.draw(trial(2, 4000), 1.5, np.random.default_rng(0)).source
    by = (np.arange(4000)[:, None] - source)[3:-3]
    assert set(by.ravel()) == {-3, -2, -1, 0, 1, 2, 3}
    assert abs(by.mean()) < 0.1  # 8 thousand draws of SD 1.7: 0.02
    assert (by[:, 0] != by[:, 1]).mean() > 0.7


def test_drift_grows_to_the_end():
    """Nine tokens, up to 2 s = 4 tokens: late by 4 t / 8 (halves go to the even number), by as much early, by half of it."""
    source = drift.draw(trial(3, 9), 2, Drawn([1.0, -1.0, 0.5])).source
    np.testing.assert_array_equal(source[:, 0], [0, 1, 1, 1, 2, 3, 3, 3, 4])
    np.testing.assert_array_equal(source[:, 1], [0, 1, 3, 5, 6, 7, 0, 2, 3])  # 9, 11, 12 are 0, 2, 3 of the other end
    np.testing.assert_array_equal(np.arange(9) - source[:, 2], [0, 0, 0, 1, 1, 1, 2, 2, 2])


def test_a_value_is_held_until_the_next_one_is_measured():
    """One token in four; the second modality is measured a token later, and where the trial begins."""
    source = sampling_rate.draw(trial(2, 10), 4, Drawn([0, 3])).source
    np.testing.assert_array_equal(source[:, 0], [0, 0, 0, 0, 4, 4, 4, 4, 8, 8])
    np.testing.assert_array_equal(source[:, 1], [0, 1, 1, 1, 1, 5, 5, 5, 5, 9])


def test_half_the_rate_measures_half_of_the_same_tokens():
    for seed in range(10):
        measured = [
            set(sampling_rate.draw(trial(2, 33), rate, np.random.default_rng(seed)).source[:, 0]) for rate in (1, 2, 4, 8)
        ]
        assert len(measured[0]) == 33
        assert measured[3] < measured[2] < measured[1] < measured[0]


def test_an_absent_token_is_held_too():
    tokens = trial(2, 8)
    tokens.mask[4, 0] = False
    out = perturbed(tokens, sampling_rate.draw(tokens, 4, Drawn([0, 0])))
    np.testing.assert_array_equal(out.mask[:, 0], [True] * 4 + [False] * 4)
    np.testing.assert_array_equal(out.x[:4, 0], 0)  # what token 0 counts


def test_late_labels_stand_beside_what_came_after():
    """A second late: the label of token t beside the data of t + 2, of all modalities."""
    np.testing.assert_array_equal(
        label_lag.draw(trial(3, 6), 1, np.random.default_rng(0)).source, np.array([[2, 3, 4, 5, 0, 1]] * 3).T
    )


def test_the_rows_of_the_grid_differ_in_what_is_lost_alone():
    tokens = trial(4, 2000)
    some, most = (c.draw(tokens, 4, np.random.default_rng(3)) for c in (shift_missing, shift_missing_most))
    np.testing.assert_array_equal(some.source, most.source)
    assert not (some.lost & ~most.lost).any()
    assert abs(some.lost.mean() - 0.3) < 0.02  # 8 thousand draws: SD 0.005
    assert abs(most.lost.mean() - 0.6) < 0.02
    farther = shift_missing.draw(tokens, 2, np.random.default_rng(3))
    np.testing.assert_array_equal(farther.lost, some.lost)
