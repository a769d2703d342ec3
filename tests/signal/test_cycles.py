"""Beats and breaths where the truth is known: gaps, lost and false beats, waves on their heads, the ends of a trial."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.signal import simulate
from himoe.signal.clock import token_times
from himoe.signal.cycles import carried, plausible_intervals, ppg_beats
from himoe.signal.features import recipe, skin_conductance
from himoe.types import Signal

SFREQ, TIMES = 256.0, token_times(60, 2, 2)
T = np.arange(int(60 * SFREQ)) / SFREQ
WAVES = ((-0.17, 0.025, 0.12), (-0.02, 0.008, -0.12), (0, 0.01, 1.0), (0.025, 0.008, -0.25), (0.25, 0.05, 0.25))


def ecg(beats):
    """PQRST around each time (s), mV, with noise of 0.01."""
    x = sum(a * np.exp(-0.5 * ((T - b - off) / width) ** 2) for b in beats for off, width, a in WAVES)
    return x + 0.01 * np.random.default_rng(0).standard_normal(len(T))


def heart(x, name="ecg"):
    """(rate, variability in ms) of each token."""
    out = recipe(name).run(Signal(x[None] * 1e-3, SFREQ), TIMES, 2.0)
    return out[:, 0], 1000 * out[:, 1]


def test_intervals_against_the_median_around_them():
    # 0.8 s throughout; one lost beat makes 1.6 (twice the median), one false one 0.3 + 0.5: 62% and 37% off. 0.98 is 22% off
    intervals = np.array([0.8, 0.8, 1.6, 0.8, 0.8, 0.3, 0.5, 0.8, 0.8, 0.98, 0.8, 0.8])
    assert np.flatnonzero(~plausible_intervals(intervals)).tolist() == [2, 5, 6]
    # a heart beats 25 to 220 times a minute: 0.27 to 2.4 s
    assert not plausible_intervals(np.full(5, 0.26)).any()
    assert not plausible_intervals(np.full(5, 2.5)).any()
    assert plausible_intervals(np.full(5, 0.28)).all()
    assert plausible_intervals(np.array([])).shape == (0,)


def test_a_value_is_carried_as_far_as_its_reach():
    # at 1 s and 9 s; reaches of 2 and 1 s: nothing between 3 and 8 s; in between linear, 10 + 10 (2 - 1) / 8
    out = carried(np.array([0.0, 2.0, 4.0, 8.5, 11.0]), np.array([1.0, 9.0]), np.array([10.0, 20.0]), np.array([2.0, 1.0]))
    np.testing.assert_allclose(out, [10.0, 11.25, np.nan, 19.375, np.nan])
    assert np.isnan(carried(np.zeros(2), np.zeros(0), np.zeros(0), np.zeros(0))).all()


@pytest.mark.parametrize(("before", "after"), [(60, 60), (60, 90), (75, 65), (90, 60)])
def test_no_variability_is_spliced_over_a_gap(before, after):
    """Steady beats on both sides of 12 s without a lead: the variability is 0 throughout, whatever the rates."""
    x = ecg([*np.arange(0.4, 24, 60 / before), *np.arange(36.3, 60, 60 / after)])
    x[(T > 24.2) & (T < 36)] = np.nan
    rate, variability = heart(x)
    seen = np.isfinite(rate)
    np.testing.assert_allclose(rate[seen], np.where(TIMES < 30, before, after)[seen], rtol=0.02)
    assert np.nanmax(variability) < 10  # two samples of 256 Hz
    assert np.isnan(rate[(TIMES > 24) & (TIMES < 36)]).all()


@pytest.mark.parametrize("rate", [60, 80, 100])
@pytest.mark.parametrize("what", ["lost", "false"])
def test_one_lost_or_false_beat_is_no_physiology(rate, what):
    beats = np.arange(0.4, 60, 60 / rate)
    x = ecg(np.delete(beats, rate // 2) if what == "lost" else beats)
    x += 0 if what == "lost" else 1.2 * np.exp(-0.5 * ((T - 30.05) / 0.015) ** 2)
    found, variability = heart(x)
    np.testing.assert_allclose(found, rate, rtol=0.02)
    assert np.nanmax(variability) < 10


@pytest.mark.parametrize("rate", [50, 72, 130])
@pytest.mark.parametrize("sfreq", [64.0, 128.0, 256.0])
def test_a_pulse_on_its_head_has_the_same_beats(rate, sfreq):
    wave = simulate.pulse_wave(np.arange(int(60 * sfreq)) / sfreq * rate / 60)[0]
    up, down = ppg_beats(wave, sfreq), ppg_beats(-wave, sfreq)
    assert abs(len(up) - rate) <= 1
    np.testing.assert_array_equal(up, down)


@pytest.mark.parametrize("rate", [50, 80, 120])
def test_exchanged_electrodes_change_no_beat(rate):
    x = ecg(np.arange(0.4, 60, 60 / rate))
    for up, down in zip(heart(x), heart(-x), strict=True):
        np.testing.assert_allclose(up, down)


def test_a_wave_that_an_end_cuts_is_no_beat():
    """At 80/min the simulated recording begins 0.285 s before a peak: neurokit2 takes the T wave after it for the first beat,
    and 0.59 s to the next one for an interval (102/min)."""
    wave = simulate.ecg_wave(T * 80 / 60)[0]
    rate, variability = heart(wave)
    np.testing.assert_allclose(rate, 80, rtol=0.01)
    assert np.nanmax(variability) < 10


def breath(phase, inhalation):
    """A breath of which this share is inhalation, from phase in breaths."""
    phase = phase % 1
    rising = 0.5 - 0.5 * np.cos(np.pi * phase / inhalation)
    return np.where(phase < inhalation, rising, 0.5 + 0.5 * np.cos(np.pi * (phase - inhalation) / (1 - inhalation)))


@pytest.mark.parametrize("rate", [8, 12, 16, 24])
@pytest.mark.parametrize("kind", ["sine", "40/60", "drift and noise"])
def test_breathing_rate_to_the_ends_of_a_trial(rate, kind):
    t = np.arange(63 * 128) / 128
    sine, noise = np.sin(2 * np.pi * rate / 60 * t), np.random.default_rng(0).standard_normal(len(t))
    wave = {"sine": sine, "40/60": breath(rate / 60 * t, 0.4), "drift and noise": sine + 0.1 * t + 0.2 * noise}[kind]
    out = recipe("respiration").run(Signal(300 * wave[None], 128.0, -3.0), TIMES, 2.0)
    np.testing.assert_allclose(out[:, 0], rate, rtol=0.05)
    # the height of a breath is 2 x 300, 1 x 300 with the 40/60 shape: ln of half of it
    np.testing.assert_allclose(out[:, 1], np.log(150 if kind == "40/60" else 300), atol=0.15)


def test_breath_that_is_held_has_no_rate():
    t = np.arange(60 * 128) / 128
    wave = np.where((t < 20) | (t >= 40), np.sin(2 * np.pi * 0.25 * t), 0.0)
    rate = recipe("respiration").run(Signal(wave[None], 128.0), TIMES, 2.0)[:, 0]
    assert np.isnan(rate[(TIMES > 24) & (TIMES < 36)]).all()
    np.testing.assert_allclose(rate[(TIMES < 18) | (TIMES > 42)], 15, rtol=0.05)


T32 = np.arange(60 * 32) / 32
DECAYS = {
    "exponential, 5 s": 5 + 3 * np.exp(-T32 / 5), "exponential, 20 s": 5 + 3 * np.exp(-T32 / 20), "linear": 10 - 0.1 * T32,
    "a step down": np.where(T32 < 30, 6.0, 4.0), "sigmoid": 5 + 2 / (1 + np.exp((T32 - 30) / 1.5)), "slow rise": 5 + 0.02 * T32,
}  # fmt: skip


@pytest.mark.parametrize("name", DECAYS)
@pytest.mark.parametrize("step", [1, 8])
def test_no_responses_in_smooth_decays(name, step):
    trace = DECAYS[name][::step]
    out = skin_conductance(Signal(1e-6 * trace[None], 32.0 / step), TIMES, 2.0)
    assert np.nansum(out[:, 2]) == 0


def test_responses_on_top_of_a_decay_are_found():
    later = np.clip(T32[:, None] - np.array([12.0, 30.0, 45.0]), 0, None)
    responses = (np.exp(-later / 2) - np.exp(-later / 0.75)).sum(1) / 0.31 * 0.5
    out = skin_conductance(Signal(1e-6 * (5 + 2 * np.exp(-T32 / 20) + responses)[None], 32.0), TIMES, 2.0)
    assert np.nansum(out[:, 2]) * 2 / 4 == pytest.approx(3, abs=0.26)  # each peak lies in four windows of 2 s
