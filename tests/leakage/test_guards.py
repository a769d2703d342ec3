"""Each leak is planted and must be refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from himoe import registry
from himoe.config.run import Config
from himoe.data.rows import to_rows
from himoe.evaluate.conditions import Conditions, under_condition
from himoe.splits import guards
from himoe.types import HimoeError, Split
from tests.conftest import make_tokens
from tests.train.fits import SETTINGS, fit, folds, predict, stored


def keys(tokens, subjects):
    return {(t.subject, t.trial): t.digest for t in tokens.trials if t.subject in subjects}


def test_a_clean_split_passes(tokens):
    guards.check_split(Split(0, keys(tokens, {"s0", "s1"}), keys(tokens, {"s2"}), keys(tokens, {"s3"})), "loso")


@pytest.mark.parametrize(
    "parts", [({"s0", "s1"}, {"s2"}, {"s1"}), ({"s0"}, {"s1", "s2"}, {"s2"}), ({"s0", "s1"}, {"s1"}, {"s3"})]
)
def test_a_subject_in_two_parts_is_refused(tokens, parts):
    with pytest.raises(HimoeError, match=r"loso fold 0: leakage between .* subject s[12] is in both"):
        guards.check_split(Split(0, *(keys(tokens, p) for p in parts)), "loso")


def test_one_subject_under_two_ids_is_refused(tokens):
    trials = keys(tokens, {"s0"})
    disguised = {("s9", trial): digest for (_, trial), digest in trials.items()}
    with pytest.raises(HimoeError, match="s9 t0 has the content of s0 t0"):
        guards.check_split(Split(0, trials, keys(tokens, {"s2"}), disguised), "loso")


def test_predicting_what_was_fitted_is_refused(tokens):
    with pytest.raises(HimoeError, match="fitted on test trial s0 t0"):
        guards.check_unseen([keys(tokens, {"s0"})["s0", "t0"]], keys(tokens, {"s0"}), "ridge")


def test_tokens_other_than_the_split_saw_are_refused(tokens):
    trials = keys(tokens, {"s0"})
    trials["s0", "t1"] = "0" * 64
    with pytest.raises(HimoeError, match="s0 t1 changed since the split was made"):
        guards.select(tokens, trials)
    with pytest.raises(HimoeError, match="s7 t0, which was not prepared"):
        guards.select(tokens, {("s7", "t0"): "0" * 64})


def test_a_leaking_splitter_stops_the_fit(tokens, tmp_path):
    split = folds(tokens, tmp=tmp_path)[0]
    leaking = replace(split, train=split.train | dict(list(split.test.items())[:1]))
    with pytest.raises(HimoeError, match="leakage between train and test"):
        fit("ridge", tokens, leaking)


def test_test_rows_cannot_move_a_fit(tmp_path):
    """Other test recordings and labels, same weights: nothing of the test part reaches the scaler, stopping or weights."""
    tokens = make_tokens()
    level = np.add.reduceat(tokens.x, tokens.offsets[:-1]) / 48  # half of each trial's mean, and noise
    level += np.random.default_rng(1).standard_normal(level.shape) / 9
    tokens = replace(tokens, baseline=level.astype(np.float32))
    split = folds(tokens, tmp=tmp_path)[0]
    at = [i for i, t in enumerate(tokens.trials) if (t.subject, t.trial) in split.test]
    other = replace(tokens, x=tokens.x.copy(), y=tokens.y.copy(), baseline=tokens.baseline.copy())
    for i in at:
        other.baseline[i] = -300 * i
        rows = slice(tokens.offsets[i], tokens.offsets[i + 1])
        other.x[rows] += 1000
        other.y[rows] -= 1000
    short = SETTINGS.model_copy(update={"epochs": 2})
    for model, options in (("ridge", {}), ("himoe", {"width": 16})):
        a, b = (fit(model, t, split, options, settings=short) for t in (tokens, other))
        np.testing.assert_array_equal(a.scaler.mean, b.scaler.mean)
        np.testing.assert_array_equal(a.scaler.baseline, b.scaler.baseline)
        assert a.scaler.baseline.any()
        assert all(np.array_equal(a.state[n], b.state[n]) for n in a.state)


def test_predictions_use_the_training_mean_as_reference(tokens, tmp_path):
    split = folds(tokens, tmp=tmp_path)[0]
    fitted = fit("ridge", tokens, split)
    out, _ = predict("ridge", tokens, [split], stored(fitted), conditions=Conditions({"missing_rate": [0.0, 0.5]}, 7))
    train = [tokens.y[tokens.offsets[i]] for i, t in enumerate(tokens.trials) if (t.subject, t.trial) in split.train]
    rows = out[out["target"] == "valence"]
    assert rows["y_reference"].unique() == pytest.approx([np.mean(train, axis=0)[0]], abs=1e-6)
    assert set(rows["subject"]) == {s for s, _ in split.test}
    clean, zero = (rows[rows["condition"] == c].query("severity == 0")["y_pred"].to_numpy() for c in ("clean", "missing_rate"))
    np.testing.assert_array_equal(clean, zero)


def test_all_models_meet_the_same_masks_and_they_are_nested(tokens):
    out = {s: case.tokens for s, case in under_condition(tokens, "missing_rate", [0.1, 0.3, 0.7], 7).items()}
    again = {s: case.tokens for s, case in under_condition(tokens, "missing_rate", [0.3], 7).items()}
    np.testing.assert_array_equal(out[0.3].mask, again[0.3].mask)
    assert not (out[0.7].mask & ~out[0.3].mask).any()
    assert not (out[0.3].mask & ~out[0.1].mask).any()
    lost = 1 - out[0.3].mask.sum() / tokens.mask.sum()
    assert 0.25 < lost < 0.35


def test_shifts_are_exact_and_scored_where_all_are_valid(tokens):
    out = {s: case.tokens for s, case in under_condition(tokens, "shift", [0.0, 1.0, 2.0], 7).items()}
    n_cut = 4  # 2 s at 2 Hz at each end
    assert {len(t.time) for t in out.values()} == {len(tokens.time)}
    for i in range(len(tokens.trials)):
        inner = slice(out[0.0].offsets[i], out[0.0].offsets[i + 1])
        whole = tokens.x[tokens.offsets[i] : tokens.offsets[i + 1]]
        moved = 0
        for columns in tokens.layout.slices.values():
            got = out[2.0].x[inner][n_cut : 24 - n_cut, columns]
            fits = [k for k in (-4, 0, 4) if np.array_equal(got, whole[n_cut - k : 24 - n_cut - k, columns])]
            assert fits
            moved += fits != [0]
        assert moved == 1
    np.testing.assert_array_equal(out[0.0].y, out[2.0].y)


def test_stimulus_mean_needs_no_physiology(tokens):
    plugin = registry.load("models", "stimulus_mean")
    rows = to_rows(tokens)
    state = plugin.fit(rows, plugin.Config(shrinkage=0.0), 0)
    blind = replace(rows, x=np.full_like(rows.x, np.nan))
    expected = pd.DataFrame(rows.y).groupby(rows.stimulus).transform("mean").to_numpy()
    np.testing.assert_allclose(plugin.predict(state, blind), expected, atol=1e-6)


def test_an_absent_subject_takes_no_part(tokens):
    from himoe.data.prepare import prepare_subject
    from himoe.types import Tokens

    info = registry.load("datasets", "deap").INFO
    nobody, quality = prepare_subject(info, [], ("valence",), Config().feature_options("deap_twin"))
    assert len(Tokens.concatenate([nobody, nobody]).trials) == 0
    assert quality["eeg"]["tokens"] == 0
    assert not any(quality["eeg"].values())


def test_trials_in_which_nothing_was_recorded_are_no_duplicates():
    from himoe.data.prepare import prepare_subject
    from himoe.types import Trial

    info = registry.load("datasets", "deap").INFO
    blank = [Trial("s01", "1", v, v, 10.0, {}, np.full(4, 5.0)) for v in ("v01", "v02")]
    tokens, _ = prepare_subject(info, blank, ("valence",), Config().feature_options("deap_twin"))
    assert not tokens.mask.any()
    assert tokens.trials[0].digest != tokens.trials[1].digest


def test_planted_mixing_is_independent_of_the_planted_stimuli():
    from himoe.signal import simulate

    mixing = simulate.topography(32, 4, 2508).reshape(-1, 2)[:14]
    videos = simulate.stimuli(14, 200, np.random.default_rng([2508, simulate.STIMULI])).mean(-1)
    cosine = (mixing * videos).sum(1) / np.linalg.norm(mixing, axis=1) / np.linalg.norm(videos, axis=1)
    assert abs(cosine.mean()) < 0.6
    assert cosine.min() < 0


def test_a_fold_without_a_training_label_is_named(tokens):
    """s0 has rated nothing, s1 valence alone: who learns from both knows nothing of arousal."""
    y = tokens.y.copy()
    for i, trial in enumerate(tokens.trials):
        rows = slice(tokens.offsets[i], tokens.offsets[i + 1])
        y[rows] = {"s0": np.nan, "s1": [5.0, np.nan]}.get(trial.subject, 5.0)
    labels, targets = guards.labels_of(replace(tokens, y=y)), tokens.layout.targets
    assert {key[0]: of for key, of in labels.items()}["s1"] == {"valence"}
    split = Split(1, keys(tokens, {"s0", "s1"}), keys(tokens, {"s2"}), keys(tokens, {"s3"}))
    with pytest.raises(
        HimoeError, match=r"^loso fold 1: no trial of its training part has a label of arousal; choose other splits"
    ):
        guards.check_fold(split, "loso", labels, targets)
    guards.check_fold(replace(split, train=keys(tokens, {"s0", "s4"})), "loso", labels, targets)
