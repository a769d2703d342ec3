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


def test_conductance_lags_behind_arousal():
    latent = np.zeros((2, int(60 * simulate.RATE) + 2))
    latent[1, int(30 * simulate.RATE) :] = 3.0
    rng = np.random.default_rng(0)
    trace = np.mean([simulate.conductance(latent, 8.0, 480, 25.0, rng) for _ in range(40)], axis=0)[0]
    before, after = trace[200:240].mean(), trace[-80:].mean()
    half = np.argmax(trace[240:] > (before + after) / 2) / 8.0
    assert 0.75 < half < 4.0
