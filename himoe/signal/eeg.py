"""Differential entropy of EEG bands, 0.5 ln(2 pi e var) of a Gaussian signal (Shi, Jiao & Lu 2013), in two ways.

``whole_trial``: the recording is filtered once, forwards and backwards, and the variance taken in each window.
``window_local``: every window is filtered on its own, causally and from rest, as torcheeg does; the transient is part of the
feature. The two correlate by about 0.8 only, so which one is used is a scientific choice.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from himoe.signal.clock import fill_gaps, raw_windows, window_variance
from himoe.signal.filters import FLAT
from himoe.types import HimoeError, Signal

BANDS = {"theta": (4.0, 8.0), "alpha": (8.0, 14.0), "beta": (14.0, 31.0), "gamma": (31.0, 45.0)}
DELTA_BANDS = {"delta": (1.0, 4.0)} | BANDS
PAD_SECONDS = 2.0
LOCAL_ORDER, LOCAL_BLOCK = 5, 64
Bands = tuple[tuple[float, float], ...]


def differential_entropy(
    signal: Signal, times: np.ndarray, window: float, bands: Bands, mode: str = "whole_trial"
) -> np.ndarray:
    """(n_tokens, n_chans * n_bands), channel-major, in nats of V; NaN where a window is not wholly recorded or has no power."""
    if mode not in MODES:
        raise HimoeError(f"features.eeg.filter: there is no '{mode}'; valid names: {', '.join(MODES)}")
    power = MODES[mode](signal, times, window, bands)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = 0.5 * np.log(2 * np.pi * np.e * np.where(power > FLAT, power, np.nan))
    return entropy.reshape(len(times), -1)


def whole_trial_power(signal: Signal, times: np.ndarray, window: float, bands: Bands) -> np.ndarray:
    """Variance per window (n_tokens, n_chans, n_bands) after a zero-phase Butterworth filter of the whole recording.

    The filter (order 4, run both ways: ``|H|^2``) is applied in the frequency domain, one transform for all bands, to the
    recording extended by odd reflection as ``scipy.signal.sosfiltfilt`` does.
    """
    import scipy.fft

    recorded = np.isfinite(signal.data)
    data = fill_gaps(np.asarray(signal.data))
    data = (data - data.mean(axis=1, keepdims=True)).astype(np.float32)
    n_times = data.shape[1]
    pad = min(round(PAD_SECONDS * signal.sfreq), n_times - 1)
    before, after = 2 * data[:, :1] - data[:, pad:0:-1], 2 * data[:, -1:] - data[:, -2 : -pad - 2 : -1]
    n_fft = scipy.fft.next_fast_len(n_times + 2 * pad, real=True)
    spectrum = scipy.fft.rfft(np.concatenate([before, data, after], axis=1), n_fft)
    out = np.empty((len(times), len(data), len(bands)))
    for b, gain in enumerate(_gains(bands, signal.sfreq, n_fft)):
        band = scipy.fft.irfft(spectrum * gain, n_fft)[:, pad : pad + n_times]
        out[..., b] = window_variance(band if recorded.all() else np.where(recorded, band, np.nan), signal, times, window)
    return out


@lru_cache(maxsize=8)
def _gains(bands: Bands, sfreq: float, n_fft: int) -> np.ndarray:
    """|H(f)|^2 of each band's filter at the frequencies of a transform (n_bands, n_fft // 2 + 1)."""
    from scipy.signal import butter, freqz_sos

    freqs = np.arange(n_fft // 2 + 1) * sfreq / n_fft
    gains = [np.abs(freqz_sos(butter(4, band, "bandpass", fs=sfreq, output="sos"), freqs, fs=sfreq)[1]) ** 2 for band in bands]
    return np.array(gains, np.float32)


def window_local_power(signal: Signal, times: np.ndarray, window: float, bands: Bands) -> np.ndarray:
    """Variance per window (n_tokens, n_chans, n_bands) after a causal filter of that window alone (torcheeg's definition).

    A causal filter from rest is a lower-triangular matrix; centred, its mean square is the variance. One product serves all
    windows, channels and bands. The recording's mean is taken away first: an electrode's offset would ring in every window.
    """
    finite = np.isfinite(signal.data)
    offset = np.where(finite, signal.data, 0).sum(1, keepdims=True) / np.maximum(finite.sum(1, keepdims=True), 1)
    centred = Signal((signal.data - offset).astype(np.float32), signal.sfreq, signal.start)
    out = np.full((len(times), len(signal.data), len(bands)), np.nan)
    breaks = np.flatnonzero(np.abs(np.diff(times, 2)) > 1e-9) + 2  # a baseline's clock and the trial's are two runs
    for part in np.split(np.arange(len(times)), breaks):
        views = raw_windows(centred, times[part], window)
        at = part[np.isin(times[part], views.times)]
        for i in range(0, len(at), LOCAL_BLOCK):
            block = views.data[i : i + LOCAL_BLOCK]
            power = local_power(block.reshape(-1, block.shape[-1]), signal.sfreq, bands)
            out[at[i : i + LOCAL_BLOCK]] = power.reshape(len(block), -1, len(bands))
    return out


def local_power(windows: np.ndarray, sfreq: float, bands: Bands) -> np.ndarray:
    """Band variance of windows that stand alone: (n, n_times) -> (n, n_bands)."""
    filtered = windows @ _local_filters(bands, sfreq, windows.shape[1])
    return np.square(filtered, out=filtered).reshape(len(windows), len(bands), -1).mean(-1)


@lru_cache(maxsize=8)
def _local_filters(bands: Bands, sfreq: float, n_times: int) -> np.ndarray:
    """(n_times, n_bands * n_times): x @ matrix is every band's causal output minus its mean over the window."""
    from scipy.linalg import toeplitz
    from scipy.signal import butter, sosfilt

    impulse = np.eye(1, n_times)[0]
    blocks = []
    for band in bands:
        response = sosfilt(butter(LOCAL_ORDER, band, "bandpass", fs=sfreq, output="sos"), impulse)
        filtered = toeplitz(response, np.zeros(n_times)).T  # column t: what input contributes to output t
        blocks.append(filtered - filtered.mean(axis=1, keepdims=True))
    return np.concatenate(blocks, axis=1).astype(np.float32)


MODES = {"whole_trial": whole_trial_power, "window_local": window_local_power}
