"""Rated trials of a new person: by hand, on the same trials for every number of them, from no labels but those that may be
read."""

from __future__ import annotations

import ast

import numpy as np
import pandas as pd
import pytest

from himoe.evaluate.few_shot import OFFSET, SCALED, differences_known, draw_rated, few_shot, labels_of
from himoe.types import HimoeError, Split
from tests.conftest import ROOT
from tests.evaluate.rated import COUNTS, LEVELS, ONE, OTHER, SEED, SPLITS, STIMULI, TRIALS, WAVE, WITHIN, keys, made, rows


def of(scores, subject="c", correction=OFFSET, metric="rmse", model="ridge"):
    part = scores[(scores[["subject", "correction", "metric", "model"]] == [subject, correction, metric, model]).all(axis=1)]
    return part.set_index("k")["value"]


def left(k):
    """Share of an offset that is not believed."""
    return WITHIN / (k * LEVELS + WITHIN)


def test_how_people_differ_is_what_training_and_validation_people_say():
    labels = labels_of(made())
    people = differences_known(labels, SPLITS[0], "valence")
    assert people.levels == pytest.approx(LEVELS)
    assert people.trials == pytest.approx(WITHIN)
    assert people.spread == pytest.approx(1)


@pytest.mark.parametrize("n_labels", [1, 5])
def test_an_offset_by_hand(n_labels):
    """Everybody's labels are the same, however often: a trial counts once. c rates 3 above, so the error is 3 times what is not
    believed; CCC with an offset left of x is 2 s^2 / (2 s^2 + x^2), s^2 of the three trials that are scored."""
    frame = made().loc[lambda f: f.index.repeat(n_labels)].reset_index(drop=True)
    scores = few_shot(frame, SPLITS, COUNTS, SEED)
    found = of(scores)
    assert found.to_dict() == pytest.approx({k: 3 * (left(k) if k else 1) for k in COUNTS})
    scored = draw_rated(SPLITS[0], 5, SEED)["c"].scored
    spread = WAVE[[TRIALS.index(t) for t in scored]].var()
    expected = {k: 2 * spread / (2 * spread + found[k] ** 2) for k in COUNTS}
    assert of(scores, metric="ccc").to_dict() == pytest.approx(expected)
    assert of(scores, "d").to_dict() == pytest.approx(dict.fromkeys(COUNTS, 0))


def test_a_scale_comes_with_the_second_trial():
    """a, b and all others spread alike, so people's spreads do not differ and nothing is scaled; once b spreads ten times as
    widely, c, who spreads thrice as widely as is predicted, is scaled up from two trials on."""
    alike = few_shot(made(c=8 + 3 * (WAVE - WAVE.mean())), SPLITS, COUNTS, SEED)
    assert of(alike, correction=SCALED).equals(of(alike))
    unlike = made(c=8 + 3 * (WAVE - WAVE.mean()))
    at_b = unlike["subject"] == "b"
    unlike.loc[at_b, "y_true"] = 8 + 10 * (unlike.loc[at_b, "y_true"] - 8)
    scores = few_shot(unlike, SPLITS, COUNTS, SEED)
    offset, scaled = of(scores, metric="ccc"), of(scores, correction=SCALED, metric="ccc")
    assert scaled[[0, 1]].equals(offset[[0, 1]])
    assert not np.isclose(scaled[[2, 5]], offset[[2, 5]]).any()


def test_ratings_that_are_scored_move_nothing_that_is_said():
    """c rates 3 above in the trials that are shown and 10 above in those that are scored: 10 less what is believed of the 3."""
    shown = draw_rated(SPLITS[0], 5, SEED)["c"].shown
    scores = few_shot(made(c=WAVE + np.where(np.isin(TRIALS, shown), 3, 10)), SPLITS, COUNTS, SEED)
    assert of(scores).to_dict() == pytest.approx({k: 10 - 3 * (1 - left(k) if k else 0) for k in COUNTS})


def test_labels_of_other_test_people_and_predictions_of_known_people_move_nothing():
    before = few_shot(made(), SPLITS, COUNTS, SEED)
    other = made(d=np.linspace(-50, 50, 8))
    other.loc[other["subject"].isin(["a", "b"]), "y_pred"] = 99.0
    after = few_shot(other, SPLITS, COUNTS, SEED)
    for correction in (OFFSET, SCALED):
        assert of(after, correction=correction).equals(of(before, correction=correction))


def test_all_models_meet_the_same_trials_in_whatever_order_they_stand():
    """Two models that say the same, and one in another order, are scored alike."""
    both = pd.concat([made(), made(model="himoe").sample(frac=1, random_state=0), made(model="dgcnn")], ignore_index=True)
    scores = few_shot(both, SPLITS, COUNTS, SEED)
    for metric in ("ccc", "rmse"):
        found = [of(scores, metric=metric, model=m).to_numpy() for m in ("ridge", "himoe", "dgcnn")]
        np.testing.assert_allclose(found[1:], [found[0]] * 2)


def test_a_draw_is_nested_and_its_seeds_and_people_differ():
    drawn = {seed: draw_rated(SPLITS[0], 5, seed) for seed in (7, 8)}
    for rated in drawn[7].values():
        assert (len(rated.shown), len(rated.scored)) == (5, 3)
        assert sorted(rated.shown + rated.scored) == TRIALS
    assert drawn[7]["c"] != drawn[8]["c"]
    assert drawn[7]["c"] != drawn[7]["d"]
    assert draw_rated(SPLITS[0], 2, 7)["c"].shown == drawn[7]["c"].shown[:2]


def test_who_has_too_few_trials_is_left_out():
    """Eight trials: six rated leave two to score, seven leave one."""
    assert set(few_shot(made(), SPLITS, [6], SEED)["subject"]) == {*"abcd"}
    assert few_shot(made(), SPLITS, [7], SEED).empty


def test_a_person_whom_two_folds_test_has_one_score():
    """c's first four trials are tested in one fold, the other four in another, where predictions are 1 too high; one trial each
    is rated. The error is (3^2 + 4^2) / 2 before, over the six that are left."""
    half = {k: v for k, v in keys("c").items() if k[1] in TRIALS[:4]}
    rest = {k: v for k, v in keys("c").items() if k not in half}
    splits = [
        Split(0, keys("a"), keys("b"), half, STIMULI),
        Split(1, keys("a"), keys("b"), rest, STIMULI),
        Split(2, keys("c"), {}, keys("a", "b"), STIMULI),
    ]
    parts = [rows("ridge", p, y, WAVE, 2) for p, y in (("a", ONE), ("b", OTHER))]
    parts += [
        rows("ridge", "c", WAVE[:4] + 3, WAVE[:4], 0, TRIALS[:4]),
        rows("ridge", "c", WAVE[4:] + 3, WAVE[4:] - 1, 1, TRIALS[4:]),
    ]
    found = of(few_shot(pd.concat(parts, ignore_index=True), splits, [1], SEED))
    assert found[0] == pytest.approx(np.sqrt(12.5))
    assert found[1] == pytest.approx(np.sqrt(12.5) * left(1))


def test_a_fold_that_failed_has_no_score():
    frame = made()
    frame.loc[frame["subject"] == "c", "y_pred"] = np.nan
    scores = few_shot(frame, SPLITS, COUNTS, SEED)
    assert of(scores).isna().all()
    assert of(scores, "d").notna().all()


def test_a_test_person_whose_ratings_the_fits_may_read_is_refused():
    with pytest.raises(HimoeError, match="few_shot: fold 0 tests c, whose ratings its fits may read"):
        few_shot(made(), [Split(0, keys("a", "c"), keys("b"), keys("c", "d"), STIMULI)], COUNTS, SEED)


def test_nothing_but_its_own_figure_knows_of_it():
    """No score, claim, audit or answer may be made of what is known from labels of test people."""
    users = []
    for path in (ROOT / "himoe").rglob("*.py"):
        names = {n.module for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom)}
        users += [path.relative_to(ROOT).as_posix()] * ("himoe.evaluate.few_shot" in names)
    assert users == ["himoe/figures/few_shot.py"]
