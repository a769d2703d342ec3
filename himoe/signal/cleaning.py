"""Steps from DEAP's raw recordings to its preprocessed edition, each a pure function of (n_chans, n_times)."""

from __future__ import annotations

import numpy as np


def resample(data: np.ndarray, sfreq: float, to: float) -> np.ndarray:
    """Polyphase resampling along the last axis, with its anti-aliasing filter; the first sample keeps its time."""
    from fractions import Fraction

    from scipy.signal import resample_poly

    ratio = Fraction(to / sfreq).limit_denominator(4096)
    return resample_poly(data, ratio.numerator, ratio.denominator, axis=-1, padtype="line")


def eog_weights(eeg: np.ndarray, eog: np.ndarray) -> np.ndarray:
    """How much of each EOG channel every EEG channel holds, by least squares, (n_eeg, n_eog) (Gratton et al. 1983)."""
    eeg, eog = eeg - eeg.mean(-1, keepdims=True), eog - eog.mean(-1, keepdims=True)
    return np.linalg.lstsq(eog @ eog.T, eog @ eeg.T, rcond=None)[0].T


def average_reference(eeg: np.ndarray) -> np.ndarray:
    """Every channel minus the mean of all (second axis from the end)."""
    return eeg - eeg.mean(axis=-2, keepdims=True)
