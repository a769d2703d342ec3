"""Band filters, and the power of what they let through."""

from __future__ import annotations

import numpy as np

from himoe.signal.clock import window_variance
from himoe.types import Signal

FLAT = 1e-20  # a variance below this is no signal


def band_filter(data: np.ndarray, sfreq: float, l_freq: float | None, h_freq: float | None, order: int = 4) -> np.ndarray:
    """Zero-phase Butterworth filter over the last axis; a None edge is open (edges in Hz).

    Second-order sections, and ends extended by a period of the lower edge at least: shorter, a slow filter rings into the data.
    """
    from scipy.signal import butter, sosfiltfilt

    kind = "lowpass" if l_freq is None else "highpass" if h_freq is None else "bandpass"
    edges = [edge for edge in (l_freq, h_freq) if edge is not None]
    sos = butter(order, edges if kind == "bandpass" else edges[0], kind, fs=sfreq, output="sos")
    pad = max(3 * (2 * len(sos) + 1), round(sfreq / l_freq) if l_freq else 0)
    return sosfiltfilt(sos, data, axis=-1, padlen=min(pad, data.shape[-1] - 1))


def window_log_power(filtered: np.ndarray, signal: Signal, times: np.ndarray, window: float) -> np.ndarray:
    """ln of the window's variance (n_tokens, n_rows); flat or unrecorded windows are NaN."""
    filtered = np.where(np.isfinite(signal.data), filtered, np.nan)
    power = window_variance(filtered, signal, times, window)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(power > FLAT, np.log(power), np.nan)
