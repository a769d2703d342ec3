"""Scale and offset come from the people of inner validation and from nobody else, and change nothing but what is said at the
end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from himoe.stats.calibration import calibrate
from tests.conftest import make_tokens
from tests.train.fits import SETTINGS, fit, folds, predict, stored

SHORT = SETTINGS.model_copy(update={"epochs": 2})
MODELS = [("ridge", {}), ("stimulus_mean", {}), ("late_fusion", {"width": 16})]


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("per_token", [False, True])
@pytest.mark.parametrize(("model", "options"), MODELS)
def test_it_is_what_validation_people_alone_give(model, options, per_token, refit, tmp_path):
    """The same numbers again, from what a fit without refit says of the validation rows, with labels in its units."""
    tokens = make_tokens(8, 6, per_token=per_token, signal=0.3)
    split = folds(tokens, tmp=tmp_path)[0]
    plain = SHORT.model_copy(update={"calibration": "none"})
    first = fit(model, tokens, split, options, settings=plain)
    assert first.calibration == {}
    valid = replace(split, test=split.valid, valid={})
    states = {fold: state._replace(read=[]) for fold, state in stored(first).items()}
    said, _ = predict(model, tokens, [valid], states, options, settings=plain)
    assert set(said["subject"]) == {s for s, _ in split.valid}
    wide = [said[said["target"] == t].reset_index(drop=True) for t in ("valence", "arousal")]
    y, p = (
        np.stack([(w[c].to_numpy() - first.scaler.y_mean[k]) / first.scaler.y_scale[k] for k, w in enumerate(wide)], axis=1)
        for c in ("y_true", "y_raw")
    )
    expected = calibrate(y, p, wide[0]["subject"].to_numpy())
    found = fit(model, tokens, split, options, settings=SHORT.model_copy(update={"refit": refit})).calibration
    for name in ("scale", "offset"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-5)
    assert (expected["scale"] != 1).all()


@pytest.mark.parametrize(("model", "options"), MODELS)
def test_it_changes_nothing_before_the_prediction(model, options, tmp_path):
    tokens = make_tokens(8, 6, signal=0.3)
    split = folds(tokens, tmp=tmp_path)[0]
    a, b = (fit(model, tokens, split, options, settings=SHORT.model_copy(update={"calibration": c})) for c in ("none", "ccc"))
    assert all(np.array_equal(a.state[n], b.state[n]) for n in a.state)
    plain, with_scale = (predict(model, tokens, [split], stored(f), options, settings=SHORT)[0] for f in (a, b))
    np.testing.assert_array_equal(plain["y_raw"], with_scale["y_raw"])
    np.testing.assert_array_equal(plain["y_pred"], plain["y_raw"])
    for k, target in enumerate(("valence", "arousal")):
        rows = with_scale[with_scale["target"] == target]
        raw, said = ((rows[c] - b.scaler.y_mean[k]) / b.scaler.y_scale[k] for c in ("y_raw", "y_pred"))
        np.testing.assert_allclose(said, b.calibration["offset"][k] + b.calibration["scale"][k] * raw, rtol=1e-4, atol=1e-5)
    assert not np.allclose(with_scale["y_pred"], with_scale["y_raw"])


def test_a_reference_constant_stays(tokens, tmp_path):
    split = folds(tokens, tmp=tmp_path)[0]
    out, _ = predict("train_mean", tokens, [split], stored(fit("train_mean", tokens, split)))
    np.testing.assert_array_equal(out["y_pred"], out["y_raw"])
    np.testing.assert_allclose(out["y_pred"], out["y_reference"], atol=1e-6)


def test_training_people_s_labels_reach_it_through_the_fit_alone(tokens, tmp_path):
    """stimulus_mean knows labels alone: other labels of a validation person change scale or offset, and no weight."""
    split = folds(tokens, tmp=tmp_path)[0]
    subject = min(s for s, _ in split.valid)
    at = np.repeat([t.subject == subject for t in tokens.trials], np.diff(tokens.offsets))
    other = replace(tokens, y=np.where(at[:, None], 3 * tokens.y + 1, tokens.y).astype(np.float32))
    a, b = (fit("stimulus_mean", t, split) for t in (tokens, other))
    assert all(np.array_equal(a.state[n], b.state[n]) for n in a.state)
    assert not np.array_equal(a.calibration["scale"], b.calibration["scale"])
    assert not np.array_equal(a.calibration["offset"], b.calibration["offset"])


@pytest.mark.parametrize("refit", [False, True])
def test_a_network_learns_the_same_beside_a_readout_and_test_rows_move_no_share(refit, tmp_path):
    tokens = make_tokens(8, 6, signal=0.3)
    split = folds(tokens, tmp=tmp_path)[0]
    at = np.repeat([(t.subject, t.trial) in split.test for t in tokens.trials], np.diff(tokens.offsets))[:, None]
    other = replace(tokens, x=tokens.x + 1000 * at.astype(np.float32), y=tokens.y - 1000 * at.astype(np.float32))
    beside = SHORT.model_copy(update={"readout": "ridge", "refit": refit})
    alone = fit("late_fusion", tokens, split, {"width": 16}, settings=beside.model_copy(update={"readout": "none"}))
    a, b = (fit("late_fusion", t, split, {"width": 16}, settings=beside) for t in (tokens, other))
    assert all(np.array_equal(a.state[n], b.state[n]) for n in a.state)
    for name, value in alone.state.items():
        np.testing.assert_allclose(a.state[f"network.{name}"], value, rtol=1e-2, atol=1e-3)  # norms round otherwise
    assert a.best_epoch == alone.best_epoch
    assert (a.state["mix"][0] > 0).all()  # that people are linear in these tokens is all there is to find
