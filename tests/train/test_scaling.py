"""Affine maps of a fold, by hand and from sums over its trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from himoe.train.scaling import Moments, Scaler
from himoe.train.windows import Affine, Bank, cover, read
from tests.conftest import make_tokens
from tests.train.fits import uneven


def test_scaler_by_hand():
    tokens = make_tokens(2, 1, 4)
    scaler = Scaler.fit(tokens)
    present = tokens.mask[:, 0]
    assert scaler.mean[0] == pytest.approx(tokens.x[present, 0].mean(), abs=1e-6)
    scaled = scaler.transform(tokens)
    assert scaled.x[present, 0].std() == pytest.approx(1, abs=1e-5)
    assert (scaled.x[~present, 0] == 0).all()
    # two trials with one label each: their mean and spread, not the tokens'
    np.testing.assert_allclose(scaler.y_mean, tokens.y[[0, 4]].mean(0), atol=1e-6)
    np.testing.assert_allclose(scaler.inverse(scaled.y), tokens.y, atol=1e-5)


def with_baseline(tokens, levels):
    """Feature 0 of every trial is at its number here plus -1 and 1 in turn; all of it is there."""
    n = len(tokens.offsets) - 1
    x, mask = tokens.x.copy(), np.ones_like(tokens.mask)
    x[:, 0] = np.repeat(levels, len(x) // n) + np.tile([-1.0, 1.0], len(x) // 2)
    return replace(tokens, x=x, mask=mask, baseline=np.zeros((n, x.shape[1]), np.float32))


def test_the_coefficient_of_the_baseline_by_hand():
    """Baselines 0, 2, 4 before trials at 1, 2, 3: slope 0.5, so what is left is 1 in every trial. A slope of 2 counts as 1, one
    of -1 as 0, and a feature whose baseline never varies has 0."""
    tokens = with_baseline(make_tokens(1, 3, 4), [1.0, 2.0, 3.0])
    tokens.baseline[:, 0] = [0, 2, 4]
    scaler = Scaler.fit(tokens)
    np.testing.assert_allclose(scaler.baseline, [0.5, 0, 0, 0, 0], atol=1e-12)
    assert scaler.mean[0] == pytest.approx(1)
    assert scaler.scale[0] == pytest.approx(1)
    scaled = scaler.transform(tokens)
    np.testing.assert_allclose(scaled.x[:, 0], np.tile([-1, 1], 6), atol=1e-6)
    for levels, coefficient in (([0, 4, 8], 1.0), ([2, 1, 0], 0.0)):
        steep = with_baseline(tokens, levels)
        steep.baseline[:, 0] = [0, 2, 4] if coefficient else [0, 1, 2]
        assert Scaler.fit(steep).baseline[0] == coefficient
    # a trial in which the modality is absent has no say
    tokens.mask[4:8, 0], tokens.baseline[1, 0] = False, 1000
    assert Scaler.fit(tokens).baseline[0] == pytest.approx(0.5)


def test_networks_and_estimators_subtract_the_same():
    tokens = with_baseline(make_tokens(1, 3, 4), [1.0, 2.0, 5.0])
    tokens.baseline[:] = np.random.default_rng(0).standard_normal(tokens.baseline.shape)
    tokens.mask[5, 1] = False
    scaler = Scaler.fit(tokens)
    assert scaler.baseline.max() > 0
    bank = Bank(tokens)
    batch = read(bank, Affine.of([scaler]), cover(bank, [np.arange(3)], 4), 4)
    np.testing.assert_allclose(batch.x[0].flatten(0, 1).numpy(), scaler.transform(tokens).x, atol=1e-5)


def test_statistics_of_trials_add_up():
    tokens = uneven()
    tokens.mask[:24] = False  # a trial without anything
    moments, some = Moments.of(tokens), [1, 2, 3, 7, 11]
    chosen = tokens.select(some)
    columns = np.repeat(chosen.mask, [3, 2], axis=1)
    got = moments.scaler(np.array(some))
    assert not got.baseline.any()
    for f in range(5):
        present = chosen.x[columns[:, f], f].astype(float)
        assert got.mean[f] == pytest.approx(present.mean(), abs=1e-9)
        assert got.scale[f] == pytest.approx(present.std(), rel=1e-9)
    labels = chosen.y[chosen.offsets[:-1]].astype(float)
    np.testing.assert_allclose(got.y_mean, labels.mean(0), atol=1e-9)
    np.testing.assert_allclose(got.y_scale, labels.std(0), rtol=1e-9)
