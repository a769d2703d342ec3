"""Ranks, Friedman's test and the critical difference against Demšar's worked example and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.stats.ranks import not_told_apart, rank_models, ranks

# Demšar (2006), table 6: AUC of C4.5 with and without m and cf tuned, 14 data sets.
AUC = np.array([
    [0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569], [0.954, 0.971, 0.968, 0.967], [0.628, 0.661, 0.654, 0.657],
    [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931], [0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625],
    [0.775, 0.838, 0.866, 0.875], [1.000, 1.000, 1.000, 1.000], [0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.9751, 0.975], [0.957, 0.978, 0.946, 0.970],
])  # fmt: skip


def test_the_worked_example_of_demsar():
    """His mean ranks 3.143, 2.000, 2.893, 1.964 and critical difference 1.25 (q = 2.569); his chi-squared of 9.28 has no
    correction for ties: with it, 9.28 / (1 - ties)."""
    found = ranks(AUC)
    np.testing.assert_allclose(found.mean, [3.143, 2.000, 2.893, 1.964], atol=5e-4)
    assert found.critical == pytest.approx(1.25, abs=5e-3)
    n_people, n_models = AUC.shape
    plain = 12 * n_people / (n_models * (n_models + 1)) * ((found.mean**2).sum() - n_models * (n_models + 1) ** 2 / 4)
    assert plain == pytest.approx(9.28, abs=5e-3)
    assert found.statistic == pytest.approx(10.2283, abs=1e-4)
    assert found.p == pytest.approx(0.01672, abs=1e-5)


def test_ranks_by_hand():
    """Three people who agree on the best of three: ranks 1, 2, 3, statistic N (k - 1) = 6."""
    found = ranks(np.tile([0.3, 0.2, 0.1], (3, 1)))
    assert found.mean.tolist() == [1, 2, 3]
    assert found.statistic == pytest.approx(6)


def test_equal_models_are_no_difference():
    found = ranks(np.zeros((5, 4)))
    assert found.mean.tolist() == [2.5] * 4
    assert (found.statistic, found.p) == (0.0, 1.0)


@pytest.mark.parametrize("values", [np.zeros((5, 2)), np.zeros((1, 4)), np.full((5, 4), np.nan)])
def test_what_cannot_be_ranked_is_refused(values):
    with pytest.raises(ValueError, match="ranks need three models"):
        ranks(values)


NAMES = ["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"]


def test_groups_in_the_worked_example_of_demsar():
    """At 5% he tells none apart. At 10%, critical difference 1.12, C4.5 is worse than C4.5+m and C4.5+m+cf, and nothing is said
    of C4.5+cf."""
    values = {name: AUC[:, i : i + 1] for i, name in enumerate(NAMES)}
    found = rank_models(values)
    assert not_told_apart(found.mean, found.of.critical) == [["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]]
    tenth = rank_models(values, 0.1)
    assert tenth.of.critical == pytest.approx(1.12, abs=5e-3)
    groups = not_told_apart(tenth.mean, tenth.of.critical)
    assert groups == [["C4.5+m+cf", "C4.5+m", "C4.5+cf"], ["C4.5+cf", "C4.5"]]


def test_groups_by_hand():
    """Within 1: 1 to 2; 2 to 3; 4 alone. A group within another is none, nor is a single model."""
    assert not_told_apart({"a": 1.0, "b": 1.5, "c": 2.0, "d": 3.0, "e": 4.5}, 1.0) == [["a", "b", "c"], ["c", "d"]]
    assert not_told_apart({"a": 1.0, "b": 3.0}, 1.0) == []


def test_a_model_that_failed_is_left_out_and_two_are_no_ranking():
    values = {"a": np.ones((3, 2)), "b": np.zeros((3, 2)), "c": np.full((3, 2), 0.5), "d": np.full((3, 2), np.nan)}
    found = rank_models(values)
    assert (found.mean, found.failed) == ({"a": 1.0, "c": 2.0, "b": 3.0}, ["d"])
    assert rank_models({m: values[m] for m in ("a", "b", "d")}) is None
