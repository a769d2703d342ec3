"""A person's own offset and scale, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.stats.personal import Differences, Moments, differences, own_correction


def constant(*means):
    """Trials of one label each."""
    means = np.array(means, float)
    return Moments(means, means**2)


def test_how_people_differ_by_hand():
    """Person a rates 1, 3, person b 5, 9, on stimuli x and y, whose means 3 and 6 leave -2, -3 and 2, 3: within people 1/2,
    means -2.5 and 2.5 of variance 12.5; levels = 12.5 - 1/2 * 1/2. Trials as rated: (1 + 1 + 4 + 4) / (1 + 1) = 5. Squared
    distances from the own mean are 1, 1 and 4, 4: spread 2.5, of variance 4.5 over people, and equal over a person's trials."""
    people = differences(constant(1, 3, 5, 9), np.array([*"aabb"]), np.array([*"xyxy"]))
    assert people == pytest.approx((12.25, 5.0, 2.5, 4.5, 0.0))


def test_of_stimuli_that_nobody_shares_the_mean_is_that_of_all():
    """The same ratings: 12.5 - 5 / 2."""
    people = differences(constant(1, 3, 5, 9), np.array([*"aabb"]), np.array([*"wxyz"]))
    assert people.levels == pytest.approx(10)
    assert people.trials == pytest.approx(5)


def test_people_who_differ_in_nothing_but_the_clips_they_met_do_not_differ():
    """Three people rate three clips alike, 1, 5 and 9: all of the variance is the clips'."""
    people = differences(constant(*[1, 5, 9] * 3), np.repeat([*"abc"], 3), np.tile([*"xyz"], 3))
    assert people.levels == pytest.approx(0, abs=1e-12)
    assert people.trials == pytest.approx(16)  # 2 * 16 of each, over 2


def test_an_estimate_below_0_is_0():
    """Both people's means are 2 while their trials vary: var D = 0, less what is within people."""
    people = differences(constant(1, 3, 3, 1), np.array([*"aabb"]), np.array([*"xyxy"]))
    assert people.levels == 0


@pytest.mark.parametrize("clips", [0.0, 3.0])
def test_what_was_put_in_is_found(clips):
    """4,000 people, eight shared clips: levels of variance 2, clips of as much as is said, the rest 1 or 4 by person. A mean of
    eight takes 1/8 of a spread; that all eight share it adds 2 s^4 / 64 to how much spreads vary, where clips do not."""
    rng = np.random.default_rng(0)
    level, spread = rng.standard_normal(4000) * np.sqrt(2), rng.choice([1.0, 2.0], 4000)
    clip = np.array([-2, -1.5, -1, 0, 0, 1, 1.5, 2.0]) * np.sqrt(clips / 1.8125)
    values = level[:, None] + clip + spread[:, None] * rng.standard_normal((4000, 8))
    people = differences(constant(*values.ravel()), np.repeat(np.arange(4000), 8), np.tile(np.arange(8), 4000))
    assert people.levels == pytest.approx(2, rel=0.1)
    assert people.trials == pytest.approx(clips * 8 / 7 + 2.5, rel=0.05)
    assert people.spread == pytest.approx(clips + 2.5 * 7 / 8, rel=0.05)
    if not clips:
        assert people.spreads == pytest.approx(2.25 * (7 / 8) ** 2 + 2 * 8.5 / 64, rel=0.1)


def test_labels_that_vary_within_a_trial_count_in_the_spread():
    """One trial of labels 0 and 4 (mean 2, mean square 8), one of 2 and 2: variance 6 - 4 = 2, though means are equal."""
    assert Moments(np.array([2.0, 2.0]), np.array([8.0, 4.0])).variance == pytest.approx(2)


@pytest.mark.parametrize("person", [["a", "a"], []])
def test_of_one_person_nothing_is_known_of_people(person):
    people = differences(constant(*range(len(person))), np.array(person), np.array(person))
    assert (people.levels, people.spreads) == (0, 0)
    own = own_correction(constant(5, 6, 7), constant(0, 1, 2), people, True)
    assert own.corrected(np.array([3.0, 4.0])).tolist() == [3, 4]


PEOPLE = Differences(levels=2.0, trials=4.0, spread=1.0, spreads=2.0, squares=2.0)


@pytest.mark.parametrize(("k", "weight"), [(1, 2 / 6), (2, 4 / 8), (4, 8 / 12)])
def test_an_offset_by_hand(k, weight):
    """The person rates 3 above every prediction; k L / (k L + T) of it is believed."""
    predicted = np.arange(k, dtype=float)
    own = own_correction(constant(*(predicted + 3)), constant(*predicted), PEOPLE, False)
    assert own.scale == 1
    assert own.corrected(np.array([10.0])) == pytest.approx([10 + 3 * weight])


def test_a_scale_by_hand():
    """Labels 1, 5, 3 (variance 8/3), predictions 2, 4, 3 (variance 2/3), both of mean 3: no offset. u = 2 V / (2 V + Q) =
    4 / 6; scale^2 = (2/3 * 8/3 + 1/3) / (2/3 * 2/3 + 1/3) = 19/9 / (7/9). A prediction 4 is 1 above their mean."""
    own = own_correction(constant(1, 5, 3), constant(2, 4, 3), PEOPLE, True)
    assert own.offset == pytest.approx(0)
    assert own.scale == pytest.approx(np.sqrt(19 / 7))
    assert own.corrected(np.array([4.0, 3.0])) == pytest.approx([3 + np.sqrt(19 / 7), 3])


def test_one_trial_has_no_scale():
    one = Moments(np.array([2.0]), np.array([8.0]))  # labels 0 and 4
    assert own_correction(one, constant(2), PEOPLE, True).scale == 1


def test_with_many_trials_it_is_the_persons_own():
    """A thousand trials of a person who rates 3 above and spreads twice as widely."""
    predicted = np.random.default_rng(0).standard_normal(1000)
    own = own_correction(constant(*(3 + 2 * predicted)), constant(*predicted), PEOPLE, True)
    assert own.scale == pytest.approx(2, abs=0.01)
    assert own.corrected(predicted) == pytest.approx(3 + 2 * predicted, abs=0.05)


def test_a_constant_prediction_stays_one():
    own = own_correction(constant(1, 5, 3), constant(2, 2, 2), PEOPLE, True)
    assert np.ptp(own.corrected(np.full(4, 2.0))) == 0


def test_of_people_who_all_rate_alike_nothing_is_believed():
    nobody = Differences(0.0, 0.0, 0.0, 0.0, 0.0)
    own = own_correction(constant(1, 5), constant(2, 2), nobody, True)
    assert (own.offset, own.scale) == (0, 1)


def test_a_failed_prediction_stays_one():
    own = own_correction(constant(1, 5), constant(np.nan, np.nan), PEOPLE, True)
    assert np.isnan(own.corrected(np.array([np.nan]))).all()
