"""Heart beats and breaths: from a wave to its cycles, and from cycles to the token clock.

A cycle counts only where it was recorded, and a value is carried no further from it than a stated reach: what lies between two
cycles that do not follow one another was not measured.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from himoe.signal.clock import fill_gaps, window_mean
from himoe.signal.filters import band_filter, window_log_power
from himoe.types import Signal

UNUSABLE = (ValueError, IndexError, TypeError, ZeroDivisionError)  # what neurokit2 raises on signals without events
BEAT_SECONDS = (60 / 220, 60 / 25)  # an interval outside is no heart's
BREATH_SECONDS = (60 / 60, 60 / 4)
MAX_BRIDGE_SECONDS = 3.0  # a heart rate is interpolated no further than this from an interval
MAX_LOST = 0.1  # of a cycle: more that was not recorded may hide a beat
N_LOCAL, MAX_DEVIATION = 11, 0.25
BREATH_BAND = (0.05, 1.0)  # Hz
Beats = Callable[[np.ndarray, float], np.ndarray]


def cardiac(find_beats: Beats) -> Callable[[Signal, np.ndarray, float], np.ndarray]:
    """Recipe of heart rate (1/min), variability (s: difference of two intervals in a row) and amplitude (ln SD)."""

    def run(signal: Signal, times: np.ndarray, window: float) -> np.ndarray:
        """Heart rate (1/min), variability (s: difference of two intervals in a row) and amplitude (ln SD), of single beats."""
        amplitude = 0.5 * window_log_power(fill_gaps(signal.data), signal, times, window)[:, :1]
        out = np.full((len(times), 3), np.nan)
        try:
            beats = find_beats(fill_gaps(signal.data)[0], signal.sfreq).astype(int)
        except UNUSABLE:
            return out
        recorded = np.isfinite(signal.data[0])
        beats = beats[1:-1]  # of a beat that an end of the recording cuts in two another wave is taken for its peak
        beats = beats[recorded[beats]]
        intervals = np.diff(beats) / signal.sfreq
        good = _whole(recorded, beats[:-1], beats[1:]) & plausible_intervals(intervals)
        if good.sum() < 3:
            return out
        middle = (beats[1:] + beats[:-1]) / 2 / signal.sfreq + signal.start
        follows = good[1:] & good[:-1]
        reach = np.full(len(middle), MAX_BRIDGE_SECONDS)
        out[:, 0] = 60.0 / carried(times, middle[good], intervals[good], reach[good])
        out[:, 1] = carried(times, middle[1:][follows], np.abs(np.diff(intervals))[follows], reach[1:][follows])
        out[:, 2] = np.where(np.isnan(out[:, 0]), np.nan, amplitude[:, 0])
        return np.where(np.isnan(amplitude), np.nan, out)

    return run


def plausible_intervals(intervals: np.ndarray) -> np.ndarray:
    """Which intervals (s) between beats are a heart's: of 25 to 220 beats a minute, and within 25% of the median of the 11
    around them. A lost beat doubles an interval, a false one cuts it in two, and neither is physiology (threshold correction
    of Kubios HRV, level medium: Tarvainen et al. 2014, doi:10.1016/j.cmpb.2013.07.024)."""
    from scipy.ndimage import median_filter

    low, high = BEAT_SECONDS
    local = median_filter(intervals, min(N_LOCAL, len(intervals)), mode="nearest") if len(intervals) else intervals
    return (intervals >= low) & (intervals <= high) & (np.abs(intervals - local) <= MAX_DEVIATION * local)


def carried(times: np.ndarray, at: np.ndarray, values: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """``values`` that stand at times ``at`` interpolated to ``times`` (s), NaN further than ``reach`` (s, of each value) from
    the nearest one."""
    if not len(at):
        return np.full(len(times), np.nan)
    distance = np.abs(times[:, None] - at)
    nearest = distance.argmin(axis=1)
    near = distance.min(axis=1) <= reach[nearest]
    return np.where(near, np.interp(times, at, values), np.nan)


def _whole(recorded: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Whether at most ``MAX_LOST`` of each stretch of samples was not recorded."""
    lost = np.concatenate([[0], np.cumsum(~recorded)])
    return (lost[last] - lost[first]) <= MAX_LOST * (last - first)


def ppg_beats(data: np.ndarray, sfreq: float) -> np.ndarray:
    """Samples of the systolic peaks in a pulse wave (n_times,), whichever way up it was recorded.

    Blood comes faster than it goes: the rise of a pulse is steeper than its fall, so where slopes lean to the other side the
    wave stands on its head, and its beats would be counted twice.
    """
    import neurokit2
    from scipy.stats import skew

    cleaned = neurokit2.ppg_clean(data, sampling_rate=sfreq)
    upright = cleaned if skew(np.diff(cleaned)) >= 0 else -cleaned
    return np.asarray(neurokit2.ppg_findpeaks(upright, sampling_rate=sfreq)["PPG_Peaks"])


def ecg_beats(data: np.ndarray, sfreq: float) -> np.ndarray:
    """Samples of the R peaks in an ECG (n_times,), whichever way up it was recorded (electrodes exchanged)."""
    import neurokit2

    cleaned, _ = neurokit2.ecg_invert(neurokit2.ecg_clean(data, sampling_rate=int(sfreq)), sampling_rate=int(sfreq))
    return np.asarray(neurokit2.ecg_findpeaks(cleaned, sampling_rate=int(sfreq))["ECG_R_Peaks"])


def respiration(signal: Signal, times: np.ndarray, window: float) -> np.ndarray:
    """Breathing rate (1/min) and depth (ln amplitude), of breaths from one turning point to the next but one.

    Turning points are neurokit2's (Khodadad et al. 2018) in the band 0.05-1 Hz. A breath of less than 1 s or more than 15 s is
    none: breath was held.
    """
    import neurokit2

    out = np.full((len(times), 2), np.nan)
    try:
        wave = band_filter(fill_gaps(signal.data[:1]), signal.sfreq, *BREATH_BAND, order=2)[0]
        found = neurokit2.rsp_findpeaks(wave, sampling_rate=signal.sfreq, method="khodadad2018")
    except UNUSABLE:
        return out
    turns = np.sort(np.concatenate([found["RSP_Peaks"], found["RSP_Troughs"]])).astype(int)
    seconds = (turns[2:] - turns[:-2]) / signal.sfreq
    low, high = BREATH_SECONDS
    good = _whole(np.isfinite(signal.data[0]), turns[:-2], turns[2:]) & (seconds >= low) & (seconds <= high)
    middle, seconds = (turns[1:-1] / signal.sfreq + signal.start)[good], seconds[good]
    reach = (
        seconds.copy()
    )  # a breath is carried as far as it is long; at either end of a recording twice: half-seen ones are left out
    reach[:1], reach[-1:] = 2 * seconds[:1], 2 * seconds[-1:]
    height = np.abs(wave[turns[:-2]] - 2 * wave[turns[1:-1]] + wave[turns[2:]])[good] / 4
    out[:, 0] = 60 / carried(times, middle, seconds, reach)
    out[:, 1] = np.log(np.maximum(carried(times, middle, height, reach), 1e-12))
    recorded = window_mean(np.where(np.isfinite(signal.data[:1]), 0.0, np.nan), signal, times, window)
    flat = window_log_power(signal.data[:1], signal, times, window)
    return np.where(np.isnan(recorded) | np.isnan(flat), np.nan, out)
