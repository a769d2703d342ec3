"""Affine maps of a fold, by hand and from sums over its trials."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.train.scaling import Moments, Scaler
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


def test_statistics_of_trials_add_up():
    tokens = uneven()
    tokens.mask[:24] = False  # a trial without anything
    moments, some = Moments.of(tokens), [1, 2, 3, 7, 11]
    chosen = tokens.select(some)
    columns = np.repeat(chosen.mask, [3, 2], axis=1)
    got = moments.scaler(np.array(some))
    for f in range(5):
        present = chosen.x[columns[:, f], f].astype(float)
        assert got.mean[f] == pytest.approx(present.mean(), abs=1e-9)
        assert got.scale[f] == pytest.approx(present.std(), rel=1e-9)
    labels = chosen.y[chosen.offsets[:-1]].astype(float)
    np.testing.assert_allclose(got.y_mean, labels.mean(0), atol=1e-9)
    np.testing.assert_allclose(got.y_scale, labels.std(0), rtol=1e-9)
