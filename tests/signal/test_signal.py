"""Clock, windows and features against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from himoe.signal import clock, eeg, features
from himoe.types import HimoeError, Signal


def entropy(signal, times, window, mode="whole_trial"):
    return eeg.differential_entropy(signal, times, window, tuple(eeg.BANDS.values()), mode)


def test_token_times_by_hand():
    # 10 s, 2 Hz, 2 s windows: starts 0, 0.5 .. 8 -> 17 windows, centres 1 .. 9
    times = clock.token_times(10, 2, 2)
    assert len(times) == 17
    assert (times[0], times[-1]) == (1.0, 9.0)
    # three seconds of baseline before onset: starts -3, -2.5, -2 end at -1, -0.5, 0
    np.testing.assert_allclose(clock.token_times(0, 2, 2, start=-3), [-2.0, -1.5, -1.0])
    assert len(clock.token_times(1.0, 2, 2)) == 0


@settings(deadline=None)
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


def test_samples_with_time_stamps_of_their_own_come_onto_the_grid():
    # steps of 0.5 s from 1 s on: 1, 1.5, 2, 2.5, 3, 3.5; samples at 1.25, 2, 3.1: 10, 13, 24; a second row lacks the middle one
    times, values = np.array([1.25, 2.0, 3.1]), np.array([[10.0, 13.0, 24.0], [1.0, np.nan, 3.0]])
    out = clock.on_grid(times, values, 2.0, 1.0, 3.0, 1.0)
    # 1 is half of 0.5 s before the first sample: held; 1.5 a third of the way; 2 a sample; 1.1 s between samples: too far
    np.testing.assert_allclose(out[0], [10, 11, 13, np.nan, np.nan, 24])
    np.testing.assert_allclose(out[1], [1, np.nan, np.nan, np.nan, np.nan, 3])
    np.testing.assert_allclose(clock.on_grid(times, values, 2.0, 1.0, 3.0, 1.2)[0], [10, 11, 13, 18, 23, 24])


def test_samples_on_the_grid_are_taken_as_they_are():
    values = np.random.default_rng(0).standard_normal((2, 1000))
    values[1, 400:403] = np.nan
    times = 300 + np.arange(1000) / 1000
    np.testing.assert_array_equal(clock.on_grid(times, values, 1000.0, 300.0, 1.0, 1.5e-3), values)
    assert np.isnan(clock.on_grid(times, values, 1000.0, 299.9, 0.1, 1.5e-3)).all()
    assert np.isnan(clock.on_grid(times[:0], values[:, :0], 4.0, 0.0, 2.0, 1.0)).all()  # nothing was recorded


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
    de = entropy(signal, clock.token_times(20, 2, 2), 2.0)
    expected = 0.5 * np.log(2 * np.pi * np.e * amplitude**2 / 2)
    np.testing.assert_allclose(de[5:-5, 1], expected, atol=0.01)  # alpha
    assert not (de[5:-5, [0, 2, 3]] > expected - 2).any()  # what is left of gamma is below the flat line: NaN


def test_doubling_the_amplitude_adds_ln_2():
    rng = np.random.default_rng(0)
    data = 1e-5 * rng.standard_normal((2, 2560))
    times = clock.token_times(20, 2, 2)
    one, two = (entropy(Signal(k * data, 128.0), times, 2.0) for k in (1, 2))
    np.testing.assert_allclose(two - one, np.log(2), atol=1e-9)


def test_flat_channel_is_not_a_number_and_others_are():
    rng = np.random.default_rng(0)
    data = 1e-5 * rng.standard_normal((2, 2560))
    data[0] = 3e-6
    de = entropy(Signal(data, 128.0), clock.token_times(20, 2, 2), 2.0)
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


@pytest.mark.parametrize("recipe", ["ppg", "ecg", "gsr", "respiration", "eeg_de", "emg", "eog"])
@pytest.mark.parametrize("data", [np.zeros((2, 1280)), np.full((2, 1280), np.nan)], ids=["flat", "nan"])
def test_nothing_measured_is_masked_not_raised(recipe, data):
    out = features.recipe(recipe).run(Signal(data, 128.0), clock.token_times(10, 2, 2), 2.0)
    assert len(out) == 17
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


def test_whole_trial_filter_is_sosfiltfilts():
    """The frequency-domain filter against scipy's two passes, away from the edges, where the extensions differ."""
    rng = np.random.default_rng(0)
    signal = Signal(1e-5 * np.cumsum(rng.standard_normal((3, 60 * 128)), axis=1) * 0.1, 128.0)
    times = clock.token_times(60, 2, 2)
    ours = eeg.whole_trial_power(signal, times, 2.0, tuple(eeg.DELTA_BANDS.values()))
    for b, band in enumerate(eeg.DELTA_BANDS.values()):
        filtered = features.band_filter(signal.data - signal.data.mean(1, keepdims=True), 128.0, *band)
        theirs = clock.window_mean(filtered**2, signal, times, 2.0) - clock.window_mean(filtered, signal, times, 2.0) ** 2
        np.testing.assert_allclose(np.log(ours[15:-15, :, b]), np.log(theirs[15:-15]), atol=2e-3)


def test_window_local_is_torcheegs_definition():
    """``BandDifferentialEntropy`` (torcheeg 1.1.3) of each window: order-5 Butterworth, lfilter from rest, variance; ln."""
    from scipy.signal import butter, lfilter

    rng = np.random.default_rng(0)
    data = 1e-5 * np.cumsum(rng.standard_normal((4, 1280)), axis=1) * 0.1
    data -= data.mean(1, keepdims=True)
    signal, times = Signal(data, 128.0), clock.token_times(10, 1, 1)
    ours = entropy(signal, times, 1.0, "window_local").reshape(len(times), 4, 4)
    for w in range(10):
        for c in range(4):
            for b, band in enumerate(eeg.BANDS.values()):
                out = lfilter(*butter(5, band, "band", fs=128), signal.data[c, w * 128 : (w + 1) * 128])
                theirs = 0.5 * np.log2(2 * np.pi * np.e * np.var(out)) * np.log(2)
                assert abs(ours[w, c, b] - theirs) < 1e-5


@pytest.mark.parametrize("sfreq", [128.0, 512.0, 2048.0])
def test_a_narrow_band_at_a_high_rate_is_a_filter_still(sfreq):
    """A sine of 2.5 Hz is in the middle of delta: of its power A^2 / 2 what the filter lets through after its rise; as one
    fraction of polynomials a filter of this order explodes (at 2048 Hz by 200 orders of magnitude)."""
    t = np.arange(int(8 * sfreq)) / sfreq
    [[delta]] = eeg.local_power(np.sin(2 * np.pi * 2.5 * t)[None].astype(np.float32), sfreq, ((1.0, 4.0),))
    assert 0.4 < delta < 0.55


@pytest.mark.parametrize("mode", ["whole_trial", "window_local"])
def test_an_electrodes_offset_changes_nothing(mode):
    """DREAMER's headset has an offset of 4200 uV: from rest, a filter would ring with it in every window."""
    rng = np.random.default_rng(0)
    data, times = 1e-5 * rng.standard_normal((2, 2560)), clock.token_times(20, 2, 2)
    plain, moved = (entropy(Signal(data + offset, 128.0), times, 2.0, mode) for offset in (0.0, 4.2e-3))
    np.testing.assert_allclose(plain, moved, atol=1e-3)


@pytest.mark.parametrize("mode", ["whole_trial", "window_local"])
def test_a_baseline_and_a_trial_are_two_runs_of_the_clock(mode):
    rng = np.random.default_rng(0)
    signal = Signal(1e-5 * rng.standard_normal((2, 13 * 128)), 128.0, -3.0)
    before, after = clock.token_times(0, 2, 2, start=-3.0), clock.token_times(10, 2, 2)
    both = entropy(signal, np.concatenate([before, after]), 2.0, mode)
    np.testing.assert_allclose(both[:3], entropy(signal, before, 2.0, mode), atol=1e-5)
    np.testing.assert_allclose(both[3:], entropy(signal, after, 2.0, mode), atol=1e-5)
    assert np.isfinite(both).all()


def test_the_two_filters_differ():
    rng = np.random.default_rng(1)
    signal, times = Signal(1e-5 * rng.standard_normal((8, 7680)), 128.0), clock.token_times(60, 1, 1)
    a, b = (entropy(signal, times, 1.0, mode).ravel() for mode in ("whole_trial", "window_local"))
    assert 0.5 < np.corrcoef(a, b)[0, 1] < 0.99


def test_unknown_filter_is_named():
    with pytest.raises(HimoeError, match="there is no 'causal'; valid names: whole_trial, window_local"):
        entropy(Signal(np.zeros((1, 512)), 128.0), clock.token_times(4, 2, 2), 2.0, "causal")


def test_a_gap_stays_a_gap_in_both_modes():
    rng = np.random.default_rng(0)
    data = 1e-5 * rng.standard_normal((1, 1280))
    data[0, 600:620] = np.nan  # 4.69 s .. 4.84 s
    times = clock.token_times(10, 2, 2)
    for mode in ("whole_trial", "window_local"):
        lost = np.isnan(entropy(Signal(data, 128.0), times, 2.0, mode)).any(1)
        assert times[lost].tolist() == [4.0, 4.5, 5.0, 5.5]  # windows [3, 5) .. [4.5, 6.5); [2.5, 4.5) and [5, 7) are whole


def _responses(at: list[float], seconds: float = 60.0, sfreq: float = 64.0) -> Signal:
    """Conductance (S): 5 uS plus responses of 0.5 uS that begin at these times."""
    t = np.arange(int(seconds * sfreq)) / sfreq
    trace = np.full(len(t), 5.0)
    for start in at:
        later = np.clip(t - start, 0, None)
        shape = np.exp(-later / 2.0) - np.exp(-later / 0.75)
        trace += 0.5 * shape / 0.31
    return Signal(trace[None] * 1e-6, sfreq)


def test_skin_conductance_responses_are_counted_where_they_are():
    from scipy.signal import find_peaks

    starts = [8.0, 17.0, 25.0, 38.0, 50.0]
    signal, times = _responses(starts), clock.token_times(60, 2, 2)
    out = features.skin_conductance(signal, times, 2.0)
    # four windows of 2 s, one every 0.5 s, hold the peak of a response, which lies 1.18 s after its start
    assert abs(out[:, 2].sum() * 2 / 4 - len(starts)) < 0.26
    peaked = times[out[:, 2] > 0]
    assert all(any(abs(t - (s + 1.2)) <= 1.2 for s in starts) for t in peaked)
    # the second implementation: scipy alone, a high-pass and its peaks
    phasic = features.band_filter(signal.data * 1e6, signal.sfreq, 0.05, None, order=2)
    assert len(find_peaks(phasic[0], prominence=0.1)[0]) == len(starts)
    np.testing.assert_allclose(clock.window_mean(phasic, signal, times, 2.0)[:, 0][10:-10], out[10:-10, 1], atol=0.05)


def test_small_responses_do_not_count():
    signal, times = _responses([20.0, 40.0]), clock.token_times(60, 2, 2)
    assert features.skin_conductance(signal, times, 2.0, scr_amplitude=0.1)[:, 2].any()
    assert not features.skin_conductance(signal, times, 2.0, scr_amplitude=2.0)[:, 2].any()


def test_beats_are_those_of_a_second_implementation():
    """neurokit2's R-peaks against MNE's detector, on a simulated heart whose rate moves."""
    from mne.preprocessing.ecg import qrs_detector

    from himoe.signal import simulate

    sfreq, rng = 256.0, np.random.default_rng(0)
    phase = simulate.beat_phase(np.zeros((2, 60 * 8 + 2)), sfreq, int(60 * sfreq), 1.0, rng)
    wave = simulate.ecg_wave(phase) + 0.02 * rng.standard_normal((1, len(phase)))
    ours = features.ecg_beats(wave[0], sfreq)
    theirs = np.asarray(qrs_detector(sfreq, wave[0], verbose="error"))
    true = np.flatnonzero(np.diff(np.floor(phase - 0.38)) > 0)
    assert abs(len(ours) - len(true)) <= 1
    near = [np.abs(theirs - beat).min() / sfreq for beat in ours]
    assert np.mean(np.array(near) < 0.06) > 0.95
    assert np.median([np.abs(true - beat).min() / sfreq for beat in ours]) < 0.01


def test_breathing_is_that_of_a_second_implementation():
    import neurokit2

    t = np.arange(60 * 64) / 64
    wave = np.sin(2 * np.pi * 0.25 * t + 0.8 * np.sin(2 * np.pi * 0.02 * t))
    ours = features.respiration(Signal(wave[None], 64.0), clock.token_times(60, 2, 2), 2.0)[:, 0]
    theirs = neurokit2.rsp_process(wave, sampling_rate=64)[0]["RSP_Rate"].to_numpy()
    at = (clock.token_times(60, 2, 2) * 64).astype(int)
    np.testing.assert_allclose(ours[20:-20], theirs[at][20:-20], atol=1.0)


def test_no_heart_rate_is_made_up_where_no_beat_was_found():
    from himoe.signal import simulate

    sfreq = 256.0
    wave = simulate.ecg_wave(np.arange(int(60 * sfreq)) / sfreq * 72 / 60)
    wave[:, int(20 * sfreq) : int(40 * sfreq)] = 0  # the lead is off
    times = clock.token_times(60, 2, 2)
    rate = features.recipe("ecg").run(Signal(wave, sfreq), times, 2.0)[:, 0]
    assert np.isnan(rate[(times > 24) & (times < 36)]).all()
    assert np.isfinite(rate[(times > 5) & (times < 15)]).all()
