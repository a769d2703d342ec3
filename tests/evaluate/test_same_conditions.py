"""All models meet the same masks and shifts, whatever they read and however many severities are predicted in one pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from himoe.config.spec import View
from himoe.evaluate import predict as predicting
from himoe.evaluate import predictor
from himoe.evaluate.conditions import Conditions, cases, under_condition
from himoe.evaluate.score import check_same_conditions
from himoe.types import HimoeError, Tokens
from tests.conftest import GRID, SAMPLES, TWO, make_tokens
from tests.train.fits import fit, folds, predict, stored

GRID_OF = {
    "missing_rate": [0.0, 0.5],
    "shift_all": [0.0, 2.0],
    "amplitude_lost": [0.3],
    "eeg_channels": [0.5],
    "drift": [0.0, 1.0],
}
CONDITIONS = Conditions(GRID_OF, 7)


def eeg_and_more(features, per_token=True) -> Tokens:
    """An EEG, as features or as samples, and two modalities more; the same trials by name, digest and presence."""
    tokens = make_tokens(6, 3, per_token=per_token, features=features | TWO)
    return replace(tokens, trials=tuple(replace(t, digest=f"{t.subject}{t.trial}") for t in tokens.trials))


@pytest.mark.parametrize("model", ["ridge", "boosting", "nearest", "late_fusion", "himoe", "momke"])
@pytest.mark.parametrize("per_token", [True, False], ids=["per token", "per trial"])
def test_many_in_one_pass_are_as_each_alone(model, per_token, tmp_path, monkeypatch):
    tokens = eeg_and_more(GRID, per_token)
    split = folds(tokens, tmp=tmp_path)[0]
    states = stored(fit(model, tokens, split))
    together, routing = predict(model, tokens, [split], states, conditions=CONDITIONS)
    monkeypatch.setattr(predicting, "PASS_VALUES", 0)
    alone, routing_alone = predict(model, tokens, [split], states, conditions=CONDITIONS)
    pd.testing.assert_frame_equal(together, alone, rtol=0, atol=2e-6)
    pd.testing.assert_frame_equal(routing, routing_alone, rtol=0, atol=2e-6)
    met = together[["condition", "severity", "perturbed"]].drop_duplicates()
    asked = [("clean", 0.0), *((c, s) for c, severities in GRID_OF.items() for s in severities)]
    assert list(zip(met["condition"], met["severity"], strict=True)) == asked
    assert ((met["perturbed"] == "") == (met["severity"] == 0)).all()
    assert met["perturbed"].nunique() == 6  # five perturbed, and what is as recorded


def test_a_pass_holds_so_many_severities(tmp_path, monkeypatch):
    tokens = eeg_and_more(GRID)
    split = folds(tokens, tmp=tmp_path)[0]
    states, sizes = stored(fit("ridge", tokens, split)), []
    monkeypatch.setattr(
        predictor, "to_inputs", lambda tokens, real=predictor.to_inputs: sizes.append(len(tokens.trials)) or real(tokens)
    )
    predict("ridge", tokens, [split], states, conditions=CONDITIONS)
    n = len(split.test)
    assert sizes == [n, 5 * n]  # clean; what is perturbed, and nothing at severity 0
    sizes.clear()
    monkeypatch.setattr(predicting, "PASS_VALUES", 3 * n * 24 * tokens.layout.n_features)
    predict("ridge", tokens, [split], states, conditions=CONDITIONS)
    assert sizes == [n, n, 3 * n, n]  # of 8 cases three at a time, one, three and one of them new


def test_samples_meet_what_features_meet(tmp_path):
    """The highest tokens are lost by their features, whoever reads samples instead."""
    features, samples = eeg_and_more(GRID), eeg_and_more(SAMPLES)
    there = np.repeat(features.mask, [16, 3, 2], axis=1)
    samples = replace(samples, mask=features.mask, x=np.where(there, samples.x, 0).astype(np.float32))
    by_features = list(cases(features, features, CONDITIONS))
    for a, b in zip(by_features, cases(samples, features, CONDITIONS), strict=True):
        assert a.digest == b.digest
        np.testing.assert_array_equal(a.tokens.mask, b.tokens.mask)
        assert not b.tokens.x[~np.repeat(b.tokens.mask, [16, 3, 2], axis=1)].any()
    by_samples = {c.condition: c.digest for c in cases(samples, samples, CONDITIONS)}
    assert by_samples["amplitude_lost"] != {c.condition: c.digest for c in by_features}["amplitude_lost"]
    split = folds(features, tmp=tmp_path)[0]
    view = View(modality="eeg", samples=8)
    eegnet, ridge = stored(fit("eegnet", samples, split, view=view)), stored(fit("ridge", features, split))

    def load(subjects):
        return features.select([i for i, t in enumerate(features.trials) if t.subject in subjects])

    one, _ = predict("eegnet", samples, [split], eegnet, conditions=CONDITIONS, view=view, features=load)
    other, _ = predict("ridge", features, [split], ridge, conditions=CONDITIONS)
    check_same_conditions(pd.concat([one, other]))
    wrong, _ = predict("eegnet", samples, [split], eegnet, conditions=CONDITIONS, view=view)
    with pytest.raises(
        HimoeError, match=r"eegnet \(seed 0\) and ridge \(seed 0\) met other masks or shifts in fold 0 under amplitude_l"
    ):
        check_same_conditions(pd.concat([wrong, other]))


def test_a_control_meets_what_its_model_meets(tmp_path):
    tokens = eeg_and_more(GRID)
    tokens = replace(tokens, trials=tuple(replace(t, digest=f"{i:064x}") for i, t in enumerate(tokens.trials)))
    split = folds(tokens, tmp=tmp_path)[0]
    states = stored(fit("ridge", tokens, split))
    as_it_is, _ = predict("ridge", tokens, [split], states, conditions=CONDITIONS)
    noise, _ = predict("ridge", tokens, [split], states, conditions=CONDITIONS, view=View(control="noise_physiology"))
    assert (noise["y_pred"] != as_it_is["y_pred"]).any()
    check_same_conditions(pd.concat([as_it_is, noise.assign(model="ridge-noise_physiology")]))


def test_the_digest_is_of_what_is_lost_and_displaced(tokens):
    a = under_condition(tokens, "missing_rate", [0.3, 0.5], 3)
    assert a[0.3].digest != a[0.5].digest
    assert a[0.3].digest != under_condition(tokens, "missing_rate", [0.3], 4)[0.3].digest  # of another seed
    assert a[0.3].digest == under_condition(replace(tokens, x=tokens.x + 1), "missing_rate", [0.3], 3)[0.3].digest
