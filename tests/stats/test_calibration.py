"""Scale and offset against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.stats.calibration import calibrate, calibrated
from himoe.stats.metrics import ccc

FOUR = np.repeat(["a", "b", "c", "d"], 2)


def of(y, predicted, person):
    found = calibrate(np.array(y, float)[:, None], np.array(predicted, float)[:, None], np.asarray(person))
    return found["scale"].item(), found["offset"].item()


def test_four_people_weigh_as_much_as_what_training_says():
    """Each rates 2 and 0 (mean 1, variance 1) and is predicted 0.7 and -0.3 (mean 0.2, variance 1/4). wanted = (4 x 2 + 4 x 1)
    / 8 = 1.5, scale = sqrt(1.5 / 0.25) = sqrt 6; the mean moves half the way from 0.2 to 1, to 0.6, which is offset + scale
    0.2."""
    scale, offset = of([2, 0] * 4, [0.7, -0.3] * 4, FOUR)
    assert scale == pytest.approx(np.sqrt(6))
    assert offset + 0.2 * scale == pytest.approx(0.6)


def test_one_person_counts_for_a_fifth():
    """var y + mean^2 = 4, wanted = (4 + 4 x 1) / 5 = 1.6, var p = 0.1: scale 4; no mean, no offset."""
    assert of([2, -2], [0.1**0.5, -(0.1**0.5)], ["a", "a"]) == pytest.approx((4.0, 0.0))


def test_people_weigh_the_same_however_many_labels_they_gave():
    once = of([1, -1, 2, 0], [0.2, 0.1, 0.4, -0.2], ["a", "a", "b", "b"])
    assert of([1, -1, 1, -1, 2, 0], [0.2, 0.1, 0.2, 0.1, 0.4, -0.2], list("aaaabb")) == pytest.approx(once)


def test_the_scale_is_bounded_positive_and_blind_to_the_sign():
    assert of([1, -1] * 4, [1e-3, -1e-3] * 4, FOUR)[0] == 10
    assert of([1, -1] * 4, [100, -100] * 4, FOUR)[0] == 0.1
    assert of([1, -1] * 4, [-0.5, 0.5] * 4, FOUR) == pytest.approx(of([1, -1] * 4, [0.5, -0.5] * 4, FOUR))


def test_a_constant_stays_and_so_does_a_target_that_nobody_rated():
    assert of([2, 0] * 4, [0.3] * 8, FOUR) == (1.0, 0.0)
    assert of([2, 0] * 4, [0.3, 0.3, 0.1, 0.1] * 2, FOUR) == (1.0, 0.0)  # it differs between people only
    assert of([np.nan] * 8, [0.1, 0.2] * 4, FOUR) == (1.0, 0.0)


def test_unknown_labels_are_left_out():
    assert of([2, 0, np.nan] * 2, [0.7, -0.3, 99] * 2, list("aaabbb")) == pytest.approx(
        of([2, 0] * 2, [0.7, -0.3] * 2, list("aabb"))
    )


def test_targets_have_a_scale_each_and_nothing_is_as_it_is():
    y, predicted = np.tile([[1.0, 1.0], [-1.0, -1.0]], (4, 1)), np.tile([[0.5, 0.25], [-0.5, -0.25]], (4, 1))
    found = calibrate(y, predicted, FOUR)
    np.testing.assert_allclose(found["scale"], [2, 4])
    np.testing.assert_allclose(calibrated(predicted, found), y)
    assert calibrated(predicted, {}) is predicted


def test_no_other_scale_gives_a_higher_ccc():
    """Correlation 0.4, labels of unit spread, predictions of a fifth of it: the scale is 5 and not the least-squares slope, 2,
    and the mean CCC over people falls to either side of it."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal((200, 50))
    p = 0.2 * (0.4 * y + np.sqrt(1 - 0.16) * rng.standard_normal(y.shape))
    scale, offset = of(y.ravel(), p.ravel(), np.repeat(np.arange(200), 50))
    assert scale == pytest.approx(5, rel=0.02)
    scores = [np.mean([ccc(a, offset + k * scale * b) for a, b in zip(y, p, strict=True)]) for k in (0.8, 1.0, 1.25)]
    assert np.argmax(scores) == 1
