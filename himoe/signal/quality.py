"""The quality gate: which windows of which channels cannot be trusted, and why.

Label-free, sees one recording. The features of what it refuses become NaN, are masked, and are counted in the data card.
"""

from __future__ import annotations

import numpy as np

from himoe.signal.clock import window_bounds, window_mean
from himoe.types import Signal

REASONS = ("not_recorded", "dead", "flat", "clipped", "implausible")
COUNTED = ("tokens", "present", "features_unmeasured", "windows", "too_short", "no_baseline", *REASONS)  # in the data card
# Unit -> what skin, heart and electrodes can show; of volts the largest offset that an amplifier of electrodes takes.
PLAUSIBLE = {"S": (1e-8, 1e-4), "degC": (15.0, 45.0), "1/min": (25.0, 220.0), "V": (-0.3, 0.3)}
RUN = 3
STEEP = 2.5


def implausible(data: np.ndarray, units: tuple[str, ...]) -> np.ndarray:
    """Samples (n_chans, n_times) that no body shows, by the unit of each channel: recorded in another unit, or
    without contact. Those of a unit that has no range, and those that are not finite, are not among them."""
    out = np.zeros(data.shape, bool)
    for row, bad, unit in zip(data, out, units, strict=True):
        if unit in PLAUSIBLE:
            low, high = PLAUSIBLE[unit]
            bad[:] = np.isfinite(row) & ~((row >= low) & (row <= high))
    return out


def gate(
    signal: Signal, times: np.ndarray, window: float, clipped_share: float, units: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:  # fmt: skip
    """Reason -> (n_tokens, n_chans) bool; a window has one reason at most, in the order of ``REASONS``.

    ``not_recorded``: partly outside the recording or with a sample that is not finite. ``dead``: the channel has one value
    throughout the recording. ``flat``: no sample of the window differs from the one before. ``clipped``: more than
    ``clipped_share`` of its samples lie at the recording's rails, see :func:`at_the_rails`. ``implausible``: a sample of it is
    outside what a body shows, see :func:`implausible`; without ``units`` of the channels none is.
    """
    data = np.asarray(signal.data)
    finite = np.isfinite(data)
    measured = window_mean(np.where(finite, 0.0, np.nan), signal, times, window) == 0
    no = np.zeros_like(measured)
    odd = window_mean(implausible(data, units or ("",) * len(data)).astype(float), signal, times, window) > 0
    if data.shape[1] < 2 or round(window * signal.sfreq) < 2:  # one sample per window shows nothing of the sensor
        return dict.fromkeys(REASONS, no) | {"not_recorded": ~measured, "implausible": measured & odd}
    high, low = (f(np.where(finite, data, rail), axis=1) for f, rail in ((np.max, -np.inf), (np.min, np.inf)))
    dead = measured & (high == low)
    moving = np.zeros(finite.shape, bool)
    moving[:, 1:] = data[:, 1:] != data[:, :-1]
    changes = np.concatenate([np.zeros((len(data), 1)), np.cumsum(moving, axis=1)], axis=1)
    first, last, _ = window_bounds(signal, times, window)
    flat = measured & ~dead & (changes[:, last] - changes[:, np.minimum(first + 1, last)] == 0).T
    rails = window_mean(at_the_rails(data).astype(float), signal, times, window) > clipped_share
    found = {"not_recorded": ~measured, "dead": dead, "flat": flat, "clipped": measured & ~dead & ~flat & rails}
    return found | {"implausible": measured & odd & ~(dead | flat | found["clipped"])}


def at_the_rails(data: np.ndarray) -> np.ndarray:
    """Samples (n_chans, n_times) in runs at a row's upper or lower rail that a converter's limit made.

    A rail is the outermost value that the row takes three or more times in a row. A run counts where the signal enters and
    leaves it by jumps of more than ``STEEP`` quantisation steps (the smallest change of the row): a smooth peak or the foot of
    a pulse, quantised, also dwells at its extreme, but comes or goes by single steps. Slow signals that run into a limit by
    single steps cannot be distinguished from that.
    """
    out = np.zeros(data.shape, bool)
    for row, railed in zip(data, out, strict=True):
        steps = np.abs(np.diff(row))
        moves = steps[np.isfinite(steps) & (steps > 0)]
        same = np.concatenate([[False], steps == 0, [False]])  # same[i]: sample i is as the one before
        begins, ends = np.flatnonzero(~same[:-1] & same[1:]), np.flatnonzero(same[:-1] & ~same[1:]) + 1
        long = ends - begins >= RUN
        if not len(moves) or not long.any():
            continue
        begins, ends, values = begins[long], ends[long], row[begins[long]]
        steep = np.concatenate([[True], ~(steps <= STEEP * moves.min()), [True]])  # the recording's ends and gaps are no slopes
        for begin, end, value in zip(begins, ends, values, strict=True):
            # two steps each way: the limit cuts one of them short
            jumps = steep[max(begin - 1, 0) : begin + 1].any() and steep[end : end + 2].any()
            if jumps and value in (values.max(), values.min()):
                railed[begin:end] = True
    return out
