"""Features per token. A recipe maps a recording to (n_tokens, n_features); NaN marks what could not be measured.

Every recipe is label-free and sees one recording only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from himoe.signal import eeg
from himoe.signal.cleaning import resample
from himoe.signal.clock import fill_gaps, window_bounds, window_mean
from himoe.signal.cycles import UNUSABLE, cardiac, ecg_beats, ppg_beats, respiration
from himoe.signal.filters import band_filter, window_log_power
from himoe.types import HimoeError, Signal

MICRO = 1e6
GSR_SFREQ = 32.0  # skin conductance has nothing above a few Hz, and peak finding costs by the sample
GSR_CUTOFF, GSR_PHASIC = 3.0, 0.05  # Hz


@dataclass(frozen=True)
class Recipe:
    """How one modality becomes features.

    run : ``run(signal, times, window, **options)`` -> (n_tokens, n_features) · names : of the columns, given the channels ·
    baseline : whether the pre-trial baseline is subtracted · family : the section of ``features`` in the config that holds its
    options · gate : the reasons of the quality gate that refuse a window · min_seconds : the shortest recording it can be made
    of · per_channel : whether columns are channel-major blocks, one per channel.
    """

    run: Callable[..., np.ndarray]
    names: Callable[[tuple[str, ...]], tuple[str, ...]]
    baseline: bool
    family: str = ""
    gate: tuple[str, ...] = ()
    min_seconds: float = 0.0
    per_channel: bool = False


def _entropy(bands: dict[str, tuple[float, float]]) -> Callable[..., np.ndarray]:
    def run(signal: Signal, times: np.ndarray, window: float, filter: str = "whole_trial") -> np.ndarray:
        """Differential entropy of each channel in each band, nats (Shi, Jiao & Lu 2013); input in V."""
        return eeg.differential_entropy(signal, times, window, tuple(bands.values()), filter)

    return run


def _per_band(bands: dict[str, tuple[float, float]]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    return lambda channels: tuple(f"{c}/{b}" for c in channels for b in bands)


def _log_power(l_freq: float, h_freq: float | None) -> Callable[[Signal, np.ndarray, float], np.ndarray]:
    def run(signal: Signal, times: np.ndarray, window: float) -> np.ndarray:
        """ln of each channel's power in the recipe's band; input in V."""
        filtered = band_filter(fill_gaps(signal.data), signal.sfreq, l_freq, h_freq)
        return window_log_power(filtered, signal, times, window)

    return run


def skin_conductance(signal: Signal, times: np.ndarray, window: float, scr_amplitude: float = 0.01) -> np.ndarray:
    """Tonic level (ln uS), mean phasic conductance (uS) and rate of skin conductance responses (1/s); input in S.

    Low-pass (3 Hz) and responses by neurokit2 (Makowski et al. 2021), phasic above 0.05 Hz. A response counts where conductance
    itself, recorded and smoothed, and its phasic part rise by ``scr_amplitude`` uS from onset to peak (Boucsein 2012): what the
    high-pass filter alone lifts, in a decay, is none.
    """
    import neurokit2

    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.where(signal.data[:1] > 0, signal.data[:1], np.nan) * MICRO
        out = np.full((len(times), 3), np.nan)
        out[:, :1] = window_mean(np.log(level), signal, times, window)
    sfreq = min(signal.sfreq, GSR_SFREQ)
    whole = fill_gaps(level)
    try:
        slow = resample(whole, signal.sfreq, sfreq)[0]
        clean = neurokit2.eda_clean(slow, sfreq) if sfreq > 2 * GSR_CUTOFF else slow  # as neurokit2 does, with a warning
        phasic = band_filter(clean, sfreq, GSR_PHASIC, None, order=2)
        _, found = neurokit2.eda_peaks(phasic, sfreq, method="neurokit", amplitude_min=0)
    except UNUSABLE:
        return np.full_like(out, np.nan)
    spans = [(a, b) for a, b in zip(found["SCR_Onsets"], found["SCR_Peaks"], strict=True) if np.isfinite([a, b]).all()]
    factor = signal.sfreq / sfreq
    rises = [min(_rise(phasic, *s), _rise(clean, *s), _rise(whole[0], factor * s[0], factor * s[1])) for s in spans]
    at = [int(peak) for (_, peak), rise in zip(spans, rises, strict=True) if rise >= scr_amplitude]
    responses = np.zeros(len(phasic))
    responses[at] = sfreq
    traces = np.stack([phasic, responses])
    out[:, 1:] = window_mean(traces, Signal(traces, sfreq, signal.start), times, window)
    return np.where(np.isnan(out[:, :1]), np.nan, out)


def _rise(trace: np.ndarray, onset: float, peak: float) -> float:
    """How far a trace (n_times,) rises from its lowest point after ``onset`` to ``peak``, both in samples."""
    first, last = round(onset), min(round(peak), len(trace) - 1)
    return float(trace[last] - trace[first : last + 1].min())


def temperature(signal: Signal, times: np.ndarray, window: float) -> np.ndarray:
    """Level (K or degree C as recorded) and slope (per s) within the window."""
    level = window_mean(signal.data[:1], signal, times, window)
    first, last, _ = window_bounds(signal, times, window)
    slope = (signal.data[0, last - 1] - signal.data[0, first]) / window
    return np.concatenate([level, np.where(np.isnan(level[:, 0]), np.nan, slope)[:, None]], axis=1)


def values(signal: Signal, times: np.ndarray, window: float) -> np.ndarray:
    """The recorded numbers themselves, averaged in the window."""
    return window_mean(signal.data, signal, times, window)


def log_values(signal: Signal, times: np.ndarray, window: float) -> np.ndarray:
    """ln of positive recorded numbers (band powers); others are NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(signal.data > 0, np.log(signal.data), np.nan)
    return window_mean(logs, signal, times, window)


def _same(channels: tuple[str, ...]) -> tuple[str, ...]:
    return channels


def _named(*names: str) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    return lambda channels: names


WAVEFORM, SLOW = ("dead", "flat", "clipped"), ("dead",)  # a slow signal, quantised, may well stand still for a window
RECIPES = {
    "eeg_de": Recipe(_entropy(eeg.BANDS), _per_band(eeg.BANDS), True, "eeg", WAVEFORM, 2.0, True),
    "eeg_de_delta": Recipe(_entropy(eeg.DELTA_BANDS), _per_band(eeg.DELTA_BANDS), True, "eeg", WAVEFORM, 2.0, True),
    "emg": Recipe(_log_power(20.0, None), _same, True, "", WAVEFORM, 2.0, True),
    "eog": Recipe(_log_power(0.5, 15.0), _same, True, "", WAVEFORM, 4.0, True),
    "gsr": Recipe(skin_conductance, _named("tonic", "phasic", "responses"), True, "gsr", SLOW, 8.0),
    "ppg": Recipe(cardiac(ppg_beats), _named("rate", "variability", "amplitude"), False, "", WAVEFORM, 4.0),
    "ecg": Recipe(cardiac(ecg_beats), _named("rate", "variability", "amplitude"), False, "", WAVEFORM, 4.0),
    "respiration": Recipe(respiration, _named("rate", "depth"), False, "", WAVEFORM, 8.0),
    "temperature": Recipe(temperature, _named("level", "slope"), True, "", SLOW),
    "values": Recipe(values, _same, False, per_channel=True),
    "log_values": Recipe(log_values, _same, False, per_channel=True),
}


def recipe(name: str) -> Recipe:
    """The recipe of this name."""
    if name not in RECIPES:
        raise HimoeError(f"features: there is no recipe '{name}'; valid names: {', '.join(RECIPES)}")
    return RECIPES[name]
