"""The token clock and windows on it.

A token stands at the centre of its window; window i covers ``[i / rate, i / rate + window)`` seconds from stimulus onset.
"""

from __future__ import annotations

import numpy as np

from himoe.types import Signal


def token_times(seconds: float, rate: float, window: float, start: float = 0.0) -> np.ndarray:
    """Centres of every whole window between ``start`` and ``seconds`` (s), shape (n_tokens,)."""
    n_tokens = int(np.floor((seconds - start - window) * rate + 1e-9)) + 1
    return start + window / 2 + np.arange(max(n_tokens, 0)) / rate


def window_bounds(signal: Signal, times: np.ndarray, window: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(first sample, one past the last sample, whether the window lies inside the recording), each (n_tokens,)."""
    first = np.rint((times - window / 2 - signal.start) * signal.sfreq).astype(np.int64)
    last = first + max(round(window * signal.sfreq), 1)
    inside = (first >= 0) & (last <= signal.data.shape[-1])
    return np.where(inside, first, 0), np.where(inside, last, 1), inside


def window_mean(values: np.ndarray, signal: Signal, times: np.ndarray, window: float) -> np.ndarray:
    """Mean of ``values`` (n_rows, n_times) in each window: (n_tokens, n_rows), NaN where not wholly recorded or finite.

    ``values`` has ``signal``'s clock; running sums make the cost independent of the windows' overlap.
    """
    first, last, inside = window_bounds(signal, times, window)
    finite = np.isfinite(values)
    sums = _running(np.where(finite, values, 0.0))
    counts = _running(finite.astype(np.float64))
    total, n = sums[:, last] - sums[:, first], counts[:, last] - counts[:, first]
    good = inside & (n == last - first)
    return np.where(good, total / np.maximum(n, 1), np.nan).T


def _running(values: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def fill_gaps(data: np.ndarray) -> np.ndarray:
    """Interpolate non-finite samples of each row so that a filter does not spread them; all-bad rows become 0."""
    finite = np.isfinite(data)
    if finite.all():
        return data
    at = np.arange(data.shape[1])
    rows = [np.interp(at, at[ok], row[ok]) if ok.any() else np.zeros(len(row)) for row, ok in zip(data, finite, strict=True)]
    return np.stack(rows)
