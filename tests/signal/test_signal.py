"""Clock, windows and features against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from himoe.signal import clock, features
from himoe.types import Signal


def test_token_times_by_hand():
    # 10 s, 2 Hz, 2 s windows: starts 0, 0.5 .. 8 -> 17 windows, centres 1 .. 9
    times = clock.token_times(10, 2, 2)
    assert len(times) == 17
    assert (times[0], times[-1]) == (1.0, 9.0)
    # three seconds of baseline before onset: starts -3, -2.5, -2 end at -1, -0.5, 0
    np.testing.assert_allclose(clock.token_times(0, 2, 2, start=-3), [-2.0, -1.5, -1.0])
    assert len(clock.token_times(1.0, 2, 2)) == 0


@given(st.floats(2, 300), st.sampled_from([0.5, 1.0, 2.0, 4.0]), st.sampled_from([0.5, 1.0, 2.0]))
def test_every_window_lies_inside(seconds, rate, window):
    times = clock.token_times(seconds, rate, window)
    assert (times - window / 2 >= -1e-9).all()
    assert (times + window / 2 <= seconds + 1e-6).all()
    assert times[-1] + 1 / rate + window / 2 > seconds  # one more would not fit


def test_window_mean_by_hand_and_nan_spreads_no_further():
    data = np.arange(10.0)[None]
    signal = Signal(data, 1.0)
    np.testing.assert_allclose(clock.window_mean(data, signal, np.array([1.0, 2.0, 9.0]), 2.0), [[0.5], [1.5], [8.5]])
    data = data.copy()
    data[0, 3] = np.nan
    out = clock.window_mean(data, Signal(data, 1.0), clock.token_times(10, 1, 2), 2.0)[:, 0]
    assert np.flatnonzero(np.isnan(out)).tolist() == [2, 3]  # windows [2, 4) and [3, 5)


def test_windows_before_or_after_the_recording_are_nan():
    signal = Signal(np.ones((1, 10)), 1.0, start=5.0)
    out = clock.window_mean(signal.data, signal, np.array([4.0, 6.0, 14.0, 15.0]), 2.0)[:, 0]
    assert np.isnan(out).tolist() == [True, False, False, True]


def test_modalities_of_different_rates_share_the_clock():
    times = clock.token_times(8, 2, 2)
    slow, fast = (Signal(np.tile(np.arange(8 * r) / r, (1, 1)), r) for r in (64, 256))
    a = clock.window_mean(slow.data, slow, times, 2.0)
    b = clock.window_mean(fast.data, fast, times, 2.0)
    np.testing.assert_allclose(a, b, atol=0.5 / 64)


def test_differential_entropy_of_a_sine():
    # A sine of amplitude A within a band has variance A^2 / 2; the others hold almost nothing
    sfreq, amplitude = 128.0, 20e-6
    t = np.arange(int(20 * sfreq)) / sfreq
    signal = Signal(amplitude * np.sin(2 * np.pi * 10 * t)[None], sfreq)
    de = features.eeg_differential_entropy(signal, clock.token_times(20, 2, 2), 2.0)
    expected = 0.5 * np.log(2 * np.pi * np.e * amplitude**2 / 2)
    np.testing.assert_allclose(de[5:-5, 1], expected, atol=0.01)  # alpha
    assert not (de[5:-5, [0, 2, 3]] > expected - 2).any()  # what is left of gamma is below the flat line: NaN


def test_doubling_the_amplitude_adds_ln_2():
    rng = np.random.default_rng(0)
    data = 1e-5 * rng.standard_normal((2, 2560))
    times = clock.token_times(20, 2, 2)
    one, two = (features.eeg_differential_entropy(Signal(k * data, 128.0), times, 2.0) for k in (1, 2))
    np.testing.assert_allclose(two - one, np.log(2), atol=1e-9)


def test_flat_channel_is_not_a_number_and_others_are():
    rng = np.random.default_rng(0)
    data = 1e-5 * rng.standard_normal((2, 2560))
    data[0] = 3e-6
    de = features.eeg_differential_entropy(Signal(data, 128.0), clock.token_times(20, 2, 2), 2.0)
    assert np.isnan(de[:, :4]).all()
    assert np.isfinite(de[:, 4:]).all()


@pytest.mark.parametrize("recipe", ["ppg", "ecg"])
def test_heart_rate_of_a_simulated_heart(recipe):
    from himoe.signal import simulate

    sfreq, seconds = 256.0, 40
    phase = np.arange(int(seconds * sfreq)) / sfreq * 72 / 60  # 72 beats a minute
    wave = (simulate.pulse_wave if recipe == "ppg" else simulate.ecg_wave)(phase)
    out = features.recipe(recipe).run(Signal(wave, sfreq), clock.token_times(seconds, 2, 2), 2.0)
    np.testing.assert_allclose(out[6:-6, 0], 72, atol=1.5)
    assert (out[6:-6, 1] < 0.02).all()  # no variability was put in


@pytest.mark.parametrize("recipe", ["ppg", "ecg", "gsr", "respiration", "eeg_de", "emg", "eog", "temperature"])
@pytest.mark.parametrize("data", [np.zeros((2, 1280)), np.full((2, 1280), np.nan)], ids=["flat", "nan"])
def test_nothing_measured_is_masked_not_raised(recipe, data):
    out = features.recipe(recipe).run(Signal(data, 128.0), clock.token_times(10, 2, 2), 2.0)
    assert len(out) == 17
    if recipe != "temperature":
        assert np.isnan(out).all()
    assert not np.isinf(out).any()


def test_breathing_rate():
    t = np.arange(60 * 128) / 128
    out = features.respiration(Signal(np.sin(2 * np.pi * 0.25 * t)[None], 128.0), clock.token_times(60, 2, 2), 2.0)
    np.testing.assert_allclose(out[20:-20, 0], 15, atol=0.3)


def test_conductance_level_is_ln_microsiemens():
    rng = np.random.default_rng(0)
    data = 5e-6 * (1 + 1e-4 * rng.standard_normal((1, 2560)))
    out = features.skin_conductance(Signal(data, 128.0), clock.token_times(20, 2, 2), 2.0)
    np.testing.assert_allclose(out[:, 0], np.log(5), atol=1e-3)
