"""The token clock and windows on it.

A token stands at the centre of its window; window i covers ``[i / rate, i / rate + window)`` seconds from stimulus onset.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from himoe.types import HimoeError, Signal


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
    whole = finite.all()
    sums = _running(values if whole else np.where(finite, values, 0.0))
    mean = (sums[:, last] - sums[:, first]) / np.maximum(last - first, 1)
    lost = 0 if whole else (counts := _running(~finite))[:, last] - counts[:, first]
    return np.where(inside & (np.asarray(lost) == 0), mean, np.nan).T


def window_variance(values: np.ndarray, signal: Signal, times: np.ndarray, window: float) -> np.ndarray:
    """Population variance of ``values`` (n_rows, n_times) in each window: (n_tokens, n_rows), NaN as in :func:`window_mean`.

    For slowly drifting means beside the variance (band-passed signals): it is the mean square minus the square of the mean.
    Where windows are a whole number of equal hops, sums are taken per hop.
    """
    first, last, inside = window_bounds(signal, times, window)
    starts = first[inside]
    hops = np.unique(np.diff(starts))
    if not (inside.any() and len(hops) <= 1 and np.isfinite(values).all()):
        return window_mean(values**2, signal, times, window) - window_mean(values, signal, times, window) ** 2
    n_times = int(last[inside][0] - starts[0])
    hop = int(hops[0]) if len(hops) else n_times
    block = int(np.gcd(hop, n_times))
    blocks = values[:, starts[0] : starts[-1] + n_times].reshape(len(values), -1, block)
    at = np.arange(len(starts)) * (hop // block)
    sums, squares = (_running(part) for part in (blocks.sum(-1), np.einsum("cnb,cnb->cn", blocks, blocks)))
    mean, power = ((part[:, at + n_times // block] - part[:, at]) / n_times for part in (sums, squares))
    out = np.full((len(times), len(values)), np.nan)
    out[inside] = (power - mean**2).T
    return out


def on_grid(
    times: np.ndarray, values: np.ndarray, sfreq: float, start: float, seconds: float, max_gap: float
) -> np.ndarray:  # fmt: skip
    """Samples with time stamps of their own as a regular recording (n_rows, n_grid) from ``start`` (s) on, for ``seconds``.

    ``values`` (n_rows, n_times) at ``times`` (n_times,) in s, in no falling order. Linear between two samples that are at most
    ``max_gap`` s apart, held for half of that at the ends, NaN elsewhere; samples that are not finite count as absent. Samples
    that stand on the grid are taken as they are.
    """
    near = slice(*np.searchsorted(times, [start - max_gap, start + seconds + max_gap]))
    steps, at = np.round((times[near] - start) * sfreq, 6), np.arange(round(seconds * sfreq))
    out = np.full((len(values), len(at)), np.nan)
    for row, series in zip(out, values[:, near], strict=True):
        known, y = steps[np.isfinite(series)], series[np.isfinite(series)]
        if not len(known):
            continue
        after, before = np.searchsorted(known, at), np.searchsorted(known, at, "right") - 1
        gap = known[np.minimum(after, len(known) - 1)] - known[np.maximum(before, 0)]  # 0 or less on a sample
        outside = 2 * np.maximum(known[0] - at, at - known[-1])
        row[:] = np.where(np.maximum(gap, outside) <= max_gap * sfreq, np.interp(at, known, y), np.nan)
    return out


def _running(values: np.ndarray) -> np.ndarray:
    """Sums of the first 0..n values of each row, in double precision."""
    out = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(values, axis=1, out=out[:, 1:])
    return out


def fill_gaps(data: np.ndarray) -> np.ndarray:
    """Interpolate non-finite samples of each row so that a filter does not spread them; all-bad rows become 0."""
    finite = np.isfinite(data)
    if finite.all():
        return np.asarray(data)
    at = np.arange(data.shape[1])
    rows = [np.interp(at, at[ok], row[ok]) if ok.any() else np.zeros(len(row)) for row, ok in zip(data, finite, strict=True)]
    return np.stack(rows)


@dataclass(frozen=True)
class RawWindows:
    """Windows of one modality of one trial: ``data`` (n_windows, n_chans, n_times), a view; ``times`` (n_windows,) are
    their centres, s from stimulus onset, a run of the token clock."""

    data: np.ndarray
    times: np.ndarray


def raw_windows(signal: Signal, times: np.ndarray, window: float) -> RawWindows:
    """The samples that each token of the clock stands for, without a copy; tokens outside the recording are left out.

    Raises
    ------
    HimoeError
        If the hop between tokens is no whole number of samples: a view has one stride.
    """
    n_times = max(round(window * signal.sfreq), 1)
    hops = np.diff(times) * signal.sfreq
    hop = max(round(float(hops[0])), 1) if len(hops) else 1
    if np.abs(hops - hop).max(initial=0) > 1e-6 * signal.sfreq:
        raise HimoeError(f"windows every {hops[0]:g} samples: choose a token rate that divides {signal.sfreq:g} Hz")
    first, _, inside = window_bounds(signal, times, window)
    if not inside.any():
        return RawWindows(np.empty((0, len(signal.data), n_times), signal.data.dtype), times[:0])
    at = first[inside]
    views = np.lib.stride_tricks.sliding_window_view(signal.data, n_times, axis=-1)
    return RawWindows(views[:, at[0] : at[-1] + 1 : hop].swapaxes(0, 1), times[inside])
