"""Fits: they learn what is there, repeat to the bit, stop on inner validation, and stand on the same reference."""

from __future__ import annotations

import numpy as np
import pytest

from himoe import registry
from himoe.config.sections import Training
from himoe.train.build import build_model
from himoe.train.tuning import configure
from himoe.types import HimoeError
from tests.conftest import make_tokens, tokens_for
from tests.contract.networks import TORCH
from tests.train.fits import SETTINGS, fit, folds, predict, skill_of, stored


@pytest.mark.parametrize(
    ("model", "options", "readout"),
    [
        ("ridge", {}, "none"), ("late_fusion", {"width": 16}, "none"), ("himoe", {"width": 16}, "none"),
        ("himoe", {"width": 16}, "ridge"), ("boosting", {"max_trees": 60}, "none"),
        *((m, {"width": 16}, "none") for m in TORCH if m not in ("himoe", "late_fusion", "eegnet")),
    ],
)  # fmt: skip
def test_models_learn_what_is_planted(model, options, readout, tmp_path):
    """Unseen subjects, four features' worth of signal at SNR 4: half of the variance at least is explained."""
    tokens = tokens_for(model, 8, 10)
    split = folds(tokens, tmp=tmp_path)[0]
    settings = SETTINGS.model_copy(update={"epochs": 25, "patience": 25, "readout": readout})
    fitted = fit(model, tokens, split, options, settings=settings)
    predictions, _ = predict(model, tokens, [split], stored(fitted), options, settings=settings)
    assert skill_of(predictions) > 0.5
    if fitted.history:
        scores = [h["valid_ccc"] for h in fitted.history]
        assert scores[fitted.best_epoch - 1] == max(scores)


@pytest.mark.parametrize("model", ["late_fusion", "himoe"])
def test_same_seed_same_bits(model, tmp_path):
    tokens = make_tokens()
    split = folds(tokens, tmp=tmp_path)[0]
    short = SETTINGS.model_copy(update={"epochs": 2})
    a, b, c = (fit(model, tokens, split, {"width": 16}, seed=seed, settings=short) for seed in (0, 0, 1))
    assert all(np.array_equal(a.state[n], b.state[n]) for n in a.state)
    assert any(not np.array_equal(a.state[n], c.state[n]) for n in a.state)


def test_a_model_of_samples_has_no_ridge_beside_it(tmp_path):
    tokens = tokens_for("eegnet", 6, 3)
    settings = SETTINGS.model_copy(update={"epochs": 1, "readout": "ridge"})
    fitted = fit("eegnet", tokens, folds(tokens, tmp=tmp_path)[0], {"width": 16}, settings=settings)
    assert not any("readout" in name for name in fitted.state)


def test_late_fusion_has_the_parameters_of_himoe():
    layout = make_tokens(1, 1).layout
    plugin, other = registry.load("models", "late_fusion"), registry.load("models", "himoe")
    ours = build_model(plugin, plugin.Config(width=32), {"width": 32}, layout, SETTINGS)
    theirs = build_model(other, other.Config(width=32), {}, layout, SETTINGS)
    a, b = (sum(p.numel() for p in m.parameters()) for m in (ours, theirs))
    assert abs(a - b) / b < 0.01


def test_himoe_size_on_deap():
    from himoe.data.prepare import layout_of

    info = registry.load("datasets", "deap").INFO
    plugin = registry.load("models", "himoe")
    model = build_model(plugin, plugin.Config(), {}, layout_of(info, info.default_targets), Training())
    assert 250_000 < sum(p.numel() for p in model.parameters()) < 500_000


@pytest.mark.parametrize("refit", [False, True])
def test_every_model_of_a_fold_has_the_same_reference(refit, tmp_path):
    tokens = make_tokens()
    split = folds(tokens, tmp=tmp_path)[0]
    settings = SETTINGS.model_copy(update={"epochs": 1, "refit": refit})
    models = {"train_mean": {}, "stimulus_mean": {}, "ridge": {}, "himoe": {"width": 16}}
    means = [fit(m, tokens, split, o, settings=settings).scaler.y_mean for m, o in models.items()]
    rows = split.train | split.valid if refit else split.train
    expected = np.mean([tokens.y[tokens.offsets[i]] for i, t in enumerate(tokens.trials) if (t.subject, t.trial) in rows], 0)
    for mean in means:
        np.testing.assert_allclose(mean, expected, atol=1e-6)


def test_bad_model_settings_are_one_line():
    with pytest.raises(HimoeError, match=r"model_options\.himoe: width"):
        configure(registry.load("models", "himoe"), "himoe", {"width": 30})


def test_sizes_that_cannot_match_are_refused():
    plugin = registry.load("models", "late_fusion")
    with pytest.raises(HimoeError, match="parameters against himoe's"):
        build_model(plugin, plugin.Config(width=128), {"width": 8}, make_tokens(1, 1).layout, SETTINGS)
