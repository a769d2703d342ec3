"""Ahead, behind, undecided, rank and ties, on leads worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.registry import available
from himoe.report.standing import against, best, finite, ordinal, predicts, rank, stands, without_score
from himoe.stats.sides import side_of

# Eight people, one seed. They differ by +-.01 about a model's mean, Hi-MoE's the other way round: a lead is its mean +-.02, of
# which the standard deviation is .0214 and the 95% interval +-.0179 (t of 7 degrees of freedom: 2.365, / sqrt(8)).
SIGNS = np.where(np.arange(8) % 2, 0.01, -0.01)[:, None]
LEVELS = {
    "train_mean": 0.0 * SIGNS, "ridge": 0.30 + SIGNS, "late_fusion": 0.205 + SIGNS, "himoe": 0.20 - SIGNS,
}  # fmt: skip


def test_a_side_is_what_an_interval_says():
    assert [side_of(*bounds) for bounds in ((0.01, 0.2), (-0.2, -0.01), (-0.1, 0.1), (np.nan, np.nan))] == [
        "ahead", "behind", "undecided", "undecided",
    ]  # fmt: skip


def test_leads_keep_the_order_of_the_models():
    found = against(LEVELS)
    assert [(a.model, a.side) for a in found] == [("train_mean", "ahead"), ("ridge", "behind"), ("late_fusion", "undecided")]
    assert found[1].lead == pytest.approx(-0.1)
    assert (found[1].low, found[1].high) == pytest.approx((-0.1179, -0.0821), abs=1e-3)


def test_rank_is_by_the_mean_and_says_who_is_on_which_side():
    assert rank(LEVELS) == 3
    assert stands(LEVELS) == (
        "3rd of 4 by mean CCC on clean input, 0.20 [0.19, 0.21]: ahead of 1 (train mean), behind 1 (ridge), undecided "
        "against 1 (late fusion)."
    )


def test_no_win_is_told_without_losses():
    first = {"himoe": 0.5 - SIGNS, "ridge": 0.3 + SIGNS}
    assert stands(first).endswith("ahead of 1 (ridge), behind none, undecided against none.")


def test_ties_with_the_best_are_named():
    """Late fusion at .295 is .005 below ridge for each person but for +-.02: not told apart; the others are."""
    tied = LEVELS | {"late_fusion": 0.295 - SIGNS}
    assert best(tied) == ("ridge", ["late_fusion"])
    first = "ridge, CCC 0.30 [0.29, 0.31] (interval as of the highest of all)"
    assert predicts(tied) == f"{first}; not told apart from it: late fusion."
    assert predicts(LEVELS) == f"{first}, ahead of all others."
    nothing = {"himoe": -0.1 - SIGNS, "train_mean": 0.0 * SIGNS}
    assert (
        predicts(nothing)
        == "no model is shown to: the highest CCC, train mean's, is 0.00 [0.00, 0.00] (interval as of the highest of all)."
    )


def test_the_highest_of_many_that_know_nothing_is_seldom_said_to_predict():
    """Ten models of true CCC 0: with each interval by itself one would be above 0 in a fifth of runs."""
    rng = np.random.default_rng(3)
    draws = [{m: rng.normal(0, 0.1, (16, 1)) for m in available("models")[:10]} for _ in range(200)]
    said = sum(not predicts(of).startswith("no model") for of in draws)
    assert said / 200 <= 0.06


def test_models_without_a_score_are_named():
    assert without_score([]) == ""
    assert without_score(["ridge", "himoe"]) == " Without a score, as a fold diverged: ridge and Hi-MoE."


def test_of_an_error_the_lowest_is_best():
    assert best({"ridge": 1.0 + SIGNS, "himoe": 2.0 - SIGNS}, lower=True) == ("ridge", [])


def test_words_for_numbers():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th",
    ]  # fmt: skip
    assert [finite(v) for v in (0.1234567, float("nan"), float("inf"))] == [0.123457, None, None]
