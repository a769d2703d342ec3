"""The planted truth is there when planted, and nothing is when not."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.signal import clock, simulate
from himoe.signal.eeg import BANDS, differential_entropy
from himoe.types import Signal


def test_ornstein_uhlenbeck_moments():
    x = simulate.ornstein_uhlenbeck((400, 800), 8.0, np.random.default_rng(0))
    assert abs(x.var() - 1) < 0.05
    lag = int(8 * simulate.RATE)  # after one time constant the correlation is 1/e
    assert abs(np.mean(x[:, :-lag] * x[:, lag:]) - np.exp(-1)) < 0.05


def _correlation(snr: float) -> float:
    rng = np.random.default_rng(1)
    n, seconds = 16, 30
    mixing = simulate.topography(n, len(BANDS), 5)
    n_latent = int(seconds * simulate.RATE) + 2
    planted, found = [], []
    for _ in range(20):
        latent = np.tile(rng.standard_normal((2, 1)), (1, n_latent))
        data = simulate.eeg(latent, mixing, list(BANDS.values()), 128.0, seconds * 128, snr, rng) * 1e-6
        de = differential_entropy(Signal(data, 128.0), clock.token_times(seconds, 2, 2), 2.0, tuple(BANDS.values())).mean(0)
        found.append(de)
        planted.append((mixing @ latent[:, 0]).reshape(-1))
    planted, found = np.array(planted), np.array(found)
    found -= found.mean(0)
    return float(np.corrcoef((planted - planted.mean(0)).ravel(), found.ravel())[0, 1])


def test_planted_power_is_recovered_and_absent_when_not_planted():
    assert _correlation(4.0) > 0.8
    assert abs(_correlation(0.0)) < 0.1


@pytest.mark.parametrize("snr", [0.5, 2.0])
def test_snr_is_the_ratio_of_variances(snr):
    rng = np.random.default_rng(0)
    drive = simulate.ornstein_uhlenbeck((300, 400), 8.0, rng)
    moved = simulate.modulation(drive, snr, rng)
    assert abs(np.var(moved - np.sqrt(snr) * drive) - 1) < 0.06
    assert abs(np.var(np.sqrt(snr) * drive) / np.var(moved - np.sqrt(snr) * drive) - snr) < 0.1 * snr


def test_a_persons_bias_is_added_on_the_scale_of_the_data_set():
    """SD 1 on 1 to 9 is 2 of 8 points: a bias of 2 raises a rating by 2 there and by 1 on 1 to 5, within the scale."""
    latent = np.zeros((2, 80))
    for low, high, up in ((1.0, 9.0, 2.0), (1.0, 5.0, 1.0)):
        plain, biased = (simulate.rating(latent, low, high, np.random.default_rng(0), bias) for bias in (0, 2.0))
        np.testing.assert_allclose(biased - plain, up)
        assert (simulate.rating(latent, low, high, np.random.default_rng(0), 99.0) == high).all()
    drawn = np.array([simulate.rating_bias(1.5, 3, i) for i in range(400)])
    assert abs(drawn.std() / 1.5 - 1) < 0.06
    np.testing.assert_array_equal(drawn[7], simulate.rating_bias(1.5, 3, 7))


def test_electrodes_drift_in_the_order_of_presentation():
    order = np.random.default_rng(0).permutation(4000)
    level = simulate.electrode_drift(order, 3, 0.2, 5, 0)
    assert abs(level.std() / 0.2 - 1) < 0.05
    shown = level[order]
    for apart, correlation in ((1, 0.6), (2, 0.36)):
        assert abs(np.corrcoef(shown[:-apart, 0], shown[apart:, 0])[0, 1] - correlation) < 0.06
    assert abs(np.corrcoef(level[:-1, 0], level[1:, 0])[0, 1]) < 0.06  # not by the number of the stimulus
    assert abs(np.corrcoef(level.T)[0, 1]) < 0.06
    assert not simulate.electrode_drift(order, 3, 0.0, 5, 0).any()


def test_conductance_lags_behind_arousal():
    latent = np.zeros((2, int(60 * simulate.RATE) + 2))
    latent[1, int(30 * simulate.RATE) :] = 3.0
    rng = np.random.default_rng(0)
    trace = np.mean([simulate.conductance(latent, 8.0, 480, 25.0, rng) for _ in range(40)], axis=0)[0]
    before, after = trace[200:240].mean(), trace[-80:].mean()
    half = np.argmax(trace[240:] > (before + after) / 2) / 8.0
    assert 0.75 < half < 4.0
