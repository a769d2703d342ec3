"""Features per token. A recipe maps a recording to (n_tokens, n_features); NaN marks what could not be measured.

Every recipe is label-free and sees one recording only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from himoe.signal import eeg
from himoe.signal.cleaning import resample
from himoe.signal.clock import fill_gaps, window_bounds, window_mean, window_variance
from himoe.signal.eeg import FLAT
from himoe.types import HimoeError, Signal

MICRO = 1e6
GSR_SFREQ = 32.0  # skin conductance has nothing above a few Hz, and peak finding costs by the sample
GSR_CUTOFF = 3.0  # Hz
MAX_BRIDGE_SECONDS = 3.0  # a rate is interpolated no further than this from a beat
UNUSABLE = (ValueError, IndexError, TypeError, ZeroDivisionError)  # what neurokit2 raises on signals without events


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


def band_filter(data: np.ndarray, sfreq: float, l_freq: float | None, h_freq: float | None, order: int = 4) -> np.ndarray:
    """Zero-phase Butterworth filter over the last axis; a None edge is open (edges in Hz)."""
    from scipy.signal import butter, sosfiltfilt

    kind = "lowpass" if l_freq is None else "highpass" if h_freq is None else "bandpass"
    edges = [edge for edge in (l_freq, h_freq) if edge is not None]
    sos = butter(order, edges if kind == "bandpass" else edges[0], kind, fs=sfreq, output="sos")
    return sosfiltfilt(sos, data, axis=-1, padlen=min(3 * (2 * len(sos) + 1), data.shape[-1] - 1))


def window_log_power(filtered: np.ndarray, signal: Signal, times: np.ndarray, window: float) -> np.ndarray:
    """ln of the window's variance (n_tokens, n_rows); flat or unrecorded windows are NaN."""
    filtered = np.where(np.isfinite(signal.data), filtered, np.nan)
    power = window_variance(filtered, signal, times, window)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(power > FLAT, np.log(power), np.nan)


def _entropy(bands: dict[str, tuple[float, float]]) -> Callable[..., np.ndarray]:
    def run(signal: Signal, times: np.ndarray, window: float, filter: str = "whole_trial") -> np.ndarray:
        return eeg.differential_entropy(signal, times, window, tuple(bands.values()), filter)

    return run


def _per_band(bands: dict[str, tuple[float, float]]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    return lambda channels: tuple(f"{c}/{b}" for c in channels for b in bands)


def _log_power(l_freq: float, h_freq: float | None) -> Callable[[Signal, np.ndarray, float], np.ndarray]:
    def run(signal: Signal, times: np.ndarray, window: float) -> np.ndarray:
        filtered = band_filter(fill_gaps(signal.data), signal.sfreq, l_freq, h_freq)
        return window_log_power(filtered, signal, times, window)

    return run


def skin_conductance(signal: Signal, times: np.ndarray, window: float, scr_amplitude: float = 0.01) -> np.ndarray:
    """Tonic level (ln uS), mean phasic conductance (uS) and rate of skin conductance responses (1/s); input in S.

    Low-pass (3 Hz), decomposition (at 0.05 Hz) and responses by neurokit2 (Makowski et al. 2021); responses below
    ``scr_amplitude`` uS do not count.
    """
    import neurokit2

    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.where(signal.data[:1] > 0, signal.data[:1], np.nan) * MICRO
        out = np.full((len(times), 3), np.nan)
        out[:, :1] = window_mean(np.log(level), signal, times, window)
    sfreq = min(signal.sfreq, GSR_SFREQ)
    try:
        slow = resample(fill_gaps(level), signal.sfreq, sfreq)[0]
        clean = neurokit2.eda_clean(slow, sfreq) if sfreq > 2 * GSR_CUTOFF else slow  # as neurokit2 does, with a warning
        phasic = neurokit2.eda_phasic(clean, sfreq, method="highpass")["EDA_Phasic"].to_numpy()
        _, found = neurokit2.eda_peaks(phasic, sfreq, method="neurokit", amplitude_min=0)
        at = np.asarray(found["SCR_Peaks"])[np.nan_to_num(found["SCR_Amplitude"]) >= scr_amplitude].astype(int)
    except UNUSABLE:
        return np.full_like(out, np.nan)
    responses = np.zeros(len(phasic))
    responses[at] = sfreq
    traces = np.stack([phasic, responses])
    out[:, 1:] = window_mean(traces, Signal(traces, sfreq, signal.start), times, window)
    return np.where(np.isnan(out[:, :1]), np.nan, out)


def _cardiac(find_beats: Callable[[np.ndarray, float], np.ndarray]) -> Callable[[Signal, np.ndarray, float], np.ndarray]:
    def run(signal: Signal, times: np.ndarray, window: float) -> np.ndarray:
        amplitude = 0.5 * window_log_power(fill_gaps(signal.data), signal, times, window)[:, :1]
        out = np.full((len(times), 3), np.nan)
        try:
            beats = find_beats(fill_gaps(signal.data)[0], signal.sfreq) / signal.sfreq + signal.start
        except UNUSABLE:
            return out
        intervals = np.diff(beats)
        middle = beats[1:] - intervals / 2
        good = (intervals > 0.3) & (intervals < 2.0)
        if good.sum() >= 3:
            middle, intervals = middle[good], intervals[good]
            out[:, 0] = 60.0 / np.interp(times, middle, intervals)
            out[:, 1] = np.interp(times, middle[1:], np.abs(np.diff(intervals)))
            out[:, 2] = amplitude[:, 0]
            out[np.abs(times[:, None] - middle).min(axis=1) > MAX_BRIDGE_SECONDS] = np.nan
        return np.where(np.isnan(amplitude), np.nan, out)

    return run


def ppg_beats(data: np.ndarray, sfreq: float) -> np.ndarray:
    """Samples of the systolic peaks in a pulse wave (n_times,)."""
    import neurokit2

    cleaned = neurokit2.ppg_clean(data, sampling_rate=sfreq)
    return np.asarray(neurokit2.ppg_findpeaks(cleaned, sampling_rate=sfreq)["PPG_Peaks"])


def ecg_beats(data: np.ndarray, sfreq: float) -> np.ndarray:
    """Samples of the R peaks in an ECG (n_times,)."""
    import neurokit2

    cleaned = neurokit2.ecg_clean(data, sampling_rate=int(sfreq))
    return np.asarray(neurokit2.ecg_findpeaks(cleaned, sampling_rate=int(sfreq))["ECG_R_Peaks"])


def respiration(signal: Signal, times: np.ndarray, window: float) -> np.ndarray:
    """Breathing rate (1/min) and depth (ln amplitude) from the analytic signal of the 0.1-0.5 Hz band."""
    from scipy.signal import hilbert

    analytic = hilbert(band_filter(fill_gaps(signal.data[:1]), signal.sfreq, 0.1, 0.5, order=2))
    rate = np.gradient(np.unwrap(np.angle(analytic), axis=-1), axis=-1) * signal.sfreq * 60 / (2 * np.pi)
    depth = np.log(np.maximum(np.abs(analytic), 1e-12))
    recorded = np.where(np.isfinite(signal.data[:1]), 0.0, np.nan)
    out = window_mean(np.concatenate([rate, depth]) + recorded, signal, times, window)
    flat = window_log_power(signal.data[:1], signal, times, window)
    return np.where(np.isnan(flat), np.nan, out)


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
    "ppg": Recipe(_cardiac(ppg_beats), _named("rate", "variability", "amplitude"), False, "", WAVEFORM, 4.0),
    "ecg": Recipe(_cardiac(ecg_beats), _named("rate", "variability", "amplitude"), False, "", WAVEFORM, 4.0),
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
