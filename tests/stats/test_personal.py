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
    """Person a rates 1, 3, person b 5, 9. Trials about their means: (1 + 1 + 4 + 4) / (1 + 1) = 5. Means 2, 7: variance 12.5,
    less 5 / 2: 10. Variances 1 and 4, mean 2.5, variance 4.5, less 2 * 2.5^2 / 1 = 12.5: below 0, so 0."""
    people = differences(constant(1, 3, 5, 9), np.array(["a", "a", "b", "b"]))
    assert people == pytest.approx((10.0, 5.0, 2.5, 0.0))


def test_spreads_that_differ_by_more_than_chance():
    """Five trials each of people who rate 0 or 2 and -10 or 10 in turn: with s = 24/25 and 96, spread = 48.48; their variance
    (n - 1) is 95.04^2 / 2 = 4516.3, less 2 * 48.48^2 / 4 = 1175.2."""
    values = [0, 2, 0, 2, 0, -10, 10, -10, 10, -10]
    people = differences(constant(*values), np.repeat(["a", "b"], 5))
    assert people.spread == pytest.approx((0.96 + 96) / 2)
    assert people.spreads == pytest.approx(95.04**2 / 2 - 2 * 48.48**2 / 4)


def test_labels_that_vary_within_a_trial_count_in_the_spread():
    """One trial of labels 0 and 4 (mean 2, mean square 8), one of 2 and 2: variance 6 - 4 = 2, though means are equal."""
    assert Moments(np.array([2.0, 2.0]), np.array([8.0, 4.0])).variance == pytest.approx(2)


@pytest.mark.parametrize("person", [["a", "a"], []])
def test_of_one_person_nothing_is_known_of_people(person):
    people = differences(constant(*range(len(person))), np.array(person))
    assert (people.levels, people.spreads) == (0, 0)
    own = own_correction(constant(5, 6, 7), constant(0, 1, 2), people, True)
    assert own.corrected(np.array([3.0, 4.0])).tolist() == [3, 4]


PEOPLE = Differences(levels=2.0, trials=4.0, spread=1.0, spreads=2.0)


@pytest.mark.parametrize(("k", "weight"), [(1, 2 / 6), (2, 4 / 8), (4, 8 / 12)])
def test_an_offset_by_hand(k, weight):
    """The person rates 3 above every prediction; k L / (k L + T) of it is believed."""
    predicted = np.arange(k, dtype=float)
    own = own_correction(constant(*(predicted + 3)), constant(*predicted), PEOPLE, False)
    assert own.scale == 1
    assert own.corrected(np.array([10.0])) == pytest.approx([10 + 3 * weight])


def test_a_scale_by_hand():
    """Labels 1, 5, 3 (variance 8/3), predictions 2, 4, 3 (variance 2/3), both of mean 3: no offset. q = 2 V / (2 V + 2 S^2) =
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
    nobody = Differences(0.0, 0.0, 0.0, 0.0)
    own = own_correction(constant(1, 5), constant(2, 2), nobody, True)
    assert (own.offset, own.scale) == (0, 1)


def test_a_failed_prediction_stays_one():
    own = own_correction(constant(1, 5), constant(np.nan, np.nan), PEOPLE, True)
    assert np.isnan(own.corrected(np.array([np.nan]))).all()
