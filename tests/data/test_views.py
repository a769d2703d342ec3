"""What a model is given: samples, one modality, windows, a control's version."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from himoe import registry
from himoe.config.spec import View
from himoe.data.views import cut, only, prepare, with_control, with_samples
from himoe.types import HimoeError, Signal, Tokens, Trial
from tests.conftest import make_tokens
from tests.train.fits import fit, folds, predict, skill_of, stored


def recorded(tokens: Tokens, sfreq=8.0, lost=()) -> list[Trial]:
    """A ramp in two channels: sample i is i, and 1000 + i; from 1 s before the stimulus on."""
    out = []
    for t in tokens.trials:
        ramp = np.arange(200.0)
        signals = {} if t.trial in lost else {"a": Signal(np.stack([ramp, 1000 + ramp]), sfreq, -1.0)}
        out.append(Trial(t.subject, t.session, t.trial, t.stimulus, 24.0, signals, np.zeros(2)))
    return out


def named(tokens):
    """Feature names as those of an EEG: CHANNEL BAND."""
    features = (("x theta", "x alpha", "y theta"), tokens.layout.features[1])
    return replace(tokens, layout=replace(tokens.layout, features=features))


def test_samples_side_by_side_are_the_recording():
    """8 Hz, 2 tokens/s: 4 samples a token. Token times are 1, 1.5, ... s and the recording starts at -1 s, so the first token
    stands at sample 16 and has samples 14 to 17; the next 18 to 21."""
    tokens = named(make_tokens(1, 2))
    tokens = replace(tokens, mask=np.ones_like(tokens.mask))
    out = with_samples(tokens, recorded(tokens), "a", 4)
    assert out.layout.features[0] == ("x 0", "x 1", "x 2", "x 3", "y 0", "y 1", "y 2", "y 3")
    assert out.x[0, :8].tolist() == [14, 15, 16, 17, 1014, 1015, 1016, 1017]
    np.testing.assert_array_equal(out.x[:24, :4].ravel(), np.arange(14, 110))
    np.testing.assert_array_equal(out.x[:, 8:], tokens.x[:, 3:])
    assert out.mask.all()


def test_a_known_coefficient_is_applied_before_any_fit():
    """Coefficient 1 takes the level before a trial from what is there and leaves no baseline; 0 leaves features as they are."""
    tokens = make_tokens(1, 2)
    tokens = replace(tokens, baseline=np.array([[1, 2, 3, 4, 5], [10, 0, 0, 0, 0]], np.float32))
    corrected, plain, later = (prepare(View(baseline=b), tokens) for b in (1, 0, "estimated"))
    columns = np.repeat(tokens.mask, [3, 2], axis=1)
    np.testing.assert_allclose((tokens.x - corrected.x)[:24], np.where(columns, [1, 2, 3, 4, 5], 0)[:24], atol=1e-5)
    np.testing.assert_allclose((tokens.x - corrected.x)[24:, 0], np.where(tokens.mask[24:, 0], 10, 0), atol=1e-5)
    np.testing.assert_array_equal(plain.x, tokens.x)
    assert corrected.baseline is plain.baseline is None
    assert later is tokens


def test_a_baseline_goes_where_its_trial_goes():
    tokens = named(make_tokens(1, 2))
    tokens = replace(tokens, baseline=np.array([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]], np.float32))
    assert cut(tokens, 4.0).baseline[:, 0].tolist() == [1, 1, 1, 6, 6, 6]  # 24 tokens are three windows of 8
    assert only(tokens, "b").baseline.tolist() == [[4, 5], [9, 10]]
    assert tokens.select([1]).baseline.tolist() == [[6, 7, 8, 9, 10]]
    joined = Tokens.concatenate([replace(tokens, baseline=None), tokens])
    assert joined.baseline[:, 0].tolist() == [0, 0, 1, 6]
    samples = with_samples(tokens, recorded(tokens), "a", 4).baseline
    assert samples.tolist() == [[0] * 8 + [4, 5], [0] * 8 + [9, 10]]  # a sample has none
    assert with_control(View(control="noise_physiology"), tokens, 0).baseline is None  # it is physiology too


def test_a_token_that_was_not_recorded_is_absent_and_zero():
    tokens = named(make_tokens(1, 2))
    out = with_samples(tokens, recorded(tokens, lost=("t1",)), "a", 4)
    assert not out.mask[24:, 0].any()
    assert not out.x[24:, :8].any()
    np.testing.assert_array_equal(out.mask[:24, 0], tokens.mask[:24, 0])
    nobody = with_samples(tokens, recorded(tokens, lost=("t0", "t1")), "a", 4)
    assert nobody.layout == out.layout
    assert not nobody.mask[:, 0].any()
    with pytest.raises(HimoeError, match=r"a: 7 Hz is not 4 samples per token"):
        with_samples(tokens, recorded(tokens, 7.0), "a", 4)


def test_windows_are_called_and_hashed_alike_for_all_models():
    """A model that reads samples has windows of the same names and digests as one that reads features."""
    tokens = named(make_tokens(1, 2))
    tokens = replace(tokens, mask=np.ones_like(tokens.mask))
    plain = prepare(View(window=3.0), tokens)
    raw = prepare(View(modality="a", samples=4, window=3.0), tokens, recorded(tokens))
    assert raw.trials == plain.trials
    np.testing.assert_array_equal(raw.x[:24, :4].ravel(), np.arange(14, 110))


def test_blank_windows_are_no_copies_of_one_another():
    tokens = make_tokens(2, 2)
    blank = replace(tokens, mask=np.zeros_like(tokens.mask), x=np.zeros_like(tokens.x))
    assert len({t.digest for t in cut(blank, 3.0).trials}) == 16


def test_one_modality_alone():
    tokens = make_tokens(2, 2)
    out = only(tokens, "b")
    np.testing.assert_array_equal(out.x, tokens.x[:, 3:])
    np.testing.assert_array_equal(out.mask, tokens.mask[:, 1:])
    assert (out.layout.modalities, out.layout.n_features) == (("b",), 2)
    with pytest.raises(HimoeError, match="a model reads eeg, which these recordings do not have"):
        only(tokens, "eeg")


def test_shuffled_labels_are_another_trials_of_the_same_person():
    tokens = make_tokens(3, 5)
    out = with_control(View(control="shuffled_labels"), tokens, 0)
    for subject in ("s0", "s1", "s2"):
        at = [i for i, t in enumerate(tokens.trials) if t.subject == subject]
        before, after = (part[tokens.offsets[at]] for part in (tokens.y, out.y))
        assert sorted(before[:, 0]) == sorted(after[:, 0])
        assert (before != after).any()
    np.testing.assert_array_equal(out.x, tokens.x)
    again = with_control(View(control="shuffled_labels"), tokens.select([0, 1, 2, 3, 4]), 0)
    np.testing.assert_array_equal(again.y, out.y[: 5 * 24])
    assert (with_control(View(control="shuffled_labels"), tokens, 1).y != out.y).any()


def test_every_order_of_labels_is_as_likely():
    """Of 3 trials 6 orders, each place as likely: over 300 seeds each trial keeps its own labels about 100 times. (An order in
    which nobody may stay would correlate -1/(n - 1) with the true one.)"""
    tokens = make_tokens(1, 3, 4)
    kept = np.zeros(3)
    for seed in range(300):
        out = with_control(View(control="shuffled_labels"), tokens, seed)
        kept += (out.y == tokens.y).all(1)[tokens.offsets[:-1]]
    assert ((kept > 70) & (kept < 130)).all()


def test_windows_of_one_trial_have_the_labels_of_one_other():
    windows = cut(make_tokens(2, 4), 3.0)
    out = with_control(View(control="shuffled_labels"), windows, 0)
    labels = out.y[windows.offsets[:-1]].reshape(8, 4, 2)
    assert (labels == labels[:, :1]).all()


def test_an_only_trial_has_its_own_labels_half_a_trial_late():
    tokens = make_tokens(1, 1, 24, per_token=True)
    out = with_control(View(control="shuffled_labels"), tokens, 0)
    np.testing.assert_array_equal(out.y, np.roll(tokens.y, 12, axis=0))


def test_noise_physiology_is_noise_of_its_own_for_each_trial_whatever_else_is_loaded():
    tokens, view = make_tokens(6, 8), View(control="noise_physiology")
    out = with_control(view, tokens, 0)
    np.testing.assert_array_equal(out.x[~np.repeat(tokens.mask, [3, 2], axis=1)], 0)
    np.testing.assert_array_equal(with_control(view, tokens.select([7]), 0).x, out.x[7 * 24 : 8 * 24])
    there = out.x[np.repeat(tokens.mask, [3, 2], axis=1)]
    assert abs(there.mean()) < 0.05
    assert there.std() == pytest.approx(1, abs=0.05)
    assert abs(np.corrcoef(out.x[:, 0], tokens.x[:, 0])[0, 1]) < 0.1


@pytest.mark.parametrize("control", registry.available("controls"))
def test_a_control_takes_the_skill_away(control, tmp_path):
    """Labels explain 80% of a feature; ridge finds them, and finds nothing under a control."""
    tokens = make_tokens(8, 10)
    split, skills = folds(tokens, tmp=tmp_path)[0], {}
    for name in ("", control):
        view = View(control=name)
        fitted = fit("ridge", tokens, split, view=view)
        predictions, _ = predict("ridge", tokens, [split], stored(fitted), view=view)
        skills[name] = skill_of(predictions)
    assert skills[""] > 0.5
    assert skills[control] < 0.05
