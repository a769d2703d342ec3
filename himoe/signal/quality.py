"""The quality gate: which windows of which channels cannot be trusted, and why.

Label-free, sees one recording. The features of what it refuses become NaN, are masked, and are counted in the data card.
"""

from __future__ import annotations

import numpy as np

from himoe.signal.clock import window_bounds, window_mean
from himoe.types import Signal

REASONS = ("not_recorded", "dead", "flat", "clipped")
RUN = 3
STEEP = 2.5


def gate(signal: Signal, times: np.ndarray, window: float, clipped_share: float) -> dict[str, np.ndarray]:
    """Reason -> (n_tokens, n_chans) bool; a window has one reason at most, in the order of ``REASONS``.

    ``not_recorded``: partly outside the recording or with a sample that is not finite. ``dead``: the channel has one value
    throughout the recording. ``flat``: no sample of the window differs from the one before. ``clipped``: more than
    ``clipped_share`` of its samples lie at the recording's rails, see :func:`at_the_rails`.
    """
    data = np.asarray(signal.data)
    finite = np.isfinite(data)
    measured = window_mean(np.where(finite, 0.0, np.nan), signal, times, window) == 0
    no = np.zeros_like(measured)
    if data.shape[1] < 2 or round(window * signal.sfreq) < 2:  # one sample per window tells nothing of the sensor
        return dict.fromkeys(REASONS, no) | {"not_recorded": ~measured}
    high, low = (f(np.where(finite, data, rail), axis=1) for f, rail in ((np.max, -np.inf), (np.min, np.inf)))
    dead = measured & (high == low)
    moving = np.zeros(finite.shape, bool)
    moving[:, 1:] = data[:, 1:] != data[:, :-1]
    changes = np.concatenate([np.zeros((len(data), 1)), np.cumsum(moving, axis=1)], axis=1)
    first, last, _ = window_bounds(signal, times, window)
    flat = measured & ~dead & (changes[:, last] - changes[:, np.minimum(first + 1, last)] == 0).T
    rails = window_mean(at_the_rails(data, high, low).astype(float), signal, times, window) > clipped_share
    return {"not_recorded": ~measured, "dead": dead, "flat": flat, "clipped": measured & ~dead & ~flat & rails}


def at_the_rails(data: np.ndarray, high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Samples (n_chans, n_times) of runs at the row's maximum or minimum that a converter's limit made.

    A run is three or more equal samples that the signal enters or leaves by a jump of more than ``STEEP`` quantisation steps
    (the smallest change of the row). A smooth peak or the foot of a pulse, quantised, also dwells at its extreme, but comes
    and goes by single steps. Slow signals that run into a limit by single steps are not told from that.
    """
    out = np.zeros(data.shape, bool)
    for row, own, *rails in zip(data, out, high, low, strict=True):
        steps = np.abs(np.diff(row))
        moves = steps[np.isfinite(steps) & (steps > 0)]
        if not len(moves):
            continue
        steep = np.concatenate([[False], steps > STEEP * moves.min(), [False]])  # steep[i]: the step into sample i
        for rail in rails:
            at = np.concatenate([[False], row == rail, [False]])
            begins, ends = np.flatnonzero(at[1:-1] & ~at[:-2]), np.flatnonzero(at[1:-1] & ~at[2:]) + 1
            for begin, end in zip(begins, ends, strict=True):
                if end - begin >= RUN and (steep[begin] or steep[end]):
                    own[begin:end] = True
    return out
