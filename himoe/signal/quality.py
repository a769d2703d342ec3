"""The quality gate: which windows of which channels cannot be trusted, and why.

Label-free, sees one recording. The features of what it refuses become NaN, are masked, and are counted in the data card.
"""

from __future__ import annotations

import numpy as np

from himoe.signal.clock import window_bounds, window_mean
from himoe.types import Signal

REASONS = ("not_recorded", "flat", "clipped")
RUN = 3


def gate(signal: Signal, times: np.ndarray, window: float, clipped_share: float) -> dict[str, np.ndarray]:
    """Reason -> (n_tokens, n_chans) bool; a window has one reason at most, in the order of ``REASONS``.

    ``not_recorded``: partly outside the recording or with a sample that is not finite. ``flat``: no sample differs from the one
    before. ``clipped``: more than ``clipped_share`` of the samples lie in a run of at least three at the recording's largest
    or smallest value.
    """
    data = np.asarray(signal.data)
    finite = np.isfinite(data)
    measured = window_mean(np.where(finite, 0.0, np.nan), signal, times, window) == 0
    moving = np.zeros_like(finite)
    moving[:, 1:] = data[:, 1:] != data[:, :-1]
    out = {"not_recorded": ~measured}
    if data.shape[1] < 2 or round(window * signal.sfreq) < 2:  # one sample per window can be neither flat nor clipped
        return out | {"flat": np.zeros_like(measured), "clipped": np.zeros_like(measured)}
    first, last, _ = window_bounds(signal, times, window)
    changes = np.concatenate([np.zeros((len(data), 1)), np.cumsum(moving, axis=1)], axis=1)
    out["flat"] = measured & (changes[:, last] - changes[:, np.minimum(first + 1, last)] == 0).T
    clipped = window_mean(_at_the_rails(data, finite).astype(float), signal, times, window) > clipped_share
    return out | {"clipped": measured & ~out["flat"] & clipped}


def _at_the_rails(data: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """Samples in a run of RUN or more at the row's maximum or minimum."""
    out = np.zeros(data.shape, bool)
    for rail in (np.where(finite, data, -np.inf).max(1), np.where(finite, data, np.inf).min(1)):
        at = data == rail[:, None]
        start = at.copy()  # whether a run of RUN begins here
        for k in range(1, RUN):
            start[:, :-k] &= at[:, k:]
            start[:, -k:] = False
        for k in range(RUN):
            out[:, k:] |= start[:, : out.shape[1] - k]
    return out
