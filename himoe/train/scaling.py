"""Normalisation of features and targets: affine maps fitted on the training rows of a fold."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from himoe.types import HimoeError, Tokens

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Scaler:
    """Affine maps fitted on training rows: features to unit variance where present, targets to unit variance. ``baseline``
    (n_features,): the coefficient with which a trial's baseline is subtracted from its features before."""

    mean: np.ndarray
    scale: np.ndarray
    y_mean: np.ndarray
    y_scale: np.ndarray
    baseline: np.ndarray = field(default_factory=lambda: np.zeros(1))

    @staticmethod
    def fit(tokens: Tokens) -> Scaler:
        """Moments over present tokens; targets over labels (trials, or tokens where they vary within a trial)."""
        return Moments.of(tokens).scaler(np.arange(len(tokens.trials)))

    def transform(self, tokens: Tokens) -> Tokens:
        """Scaled tokens; absent ones stay 0."""
        columns = np.repeat(tokens.mask, [len(n) for n in tokens.layout.features], axis=1)
        x = tokens.x
        if tokens.baseline is not None:
            x = x - np.repeat(self.baseline * tokens.baseline, np.diff(tokens.offsets), axis=0)
        x = np.where(columns, (x - self.mean) / self.scale, 0.0).astype(np.float32)
        y = ((tokens.y - self.y_mean) / self.y_scale).astype(np.float32)
        return Tokens(x, tokens.mask, tokens.time, y, tokens.offsets, tokens.trials, tokens.layout)

    def inverse(self, y: np.ndarray) -> np.ndarray:
        """Predictions (n, n_outputs) in the unit of the targets."""
        return y * self.y_scale + self.y_mean


@dataclass(frozen=True)
class Moments:
    """Count, mean and sum of squares about it of every trial, (n_trials, columns) float64: a fold's statistics are sums of
    these, so that folds trained together read the data once (Chan, Golub & LeVeque 1979, eq. 2.1). ``baseline`` (n_trials,
    n_features) is the level before each trial, where there is one to subtract."""

    x: tuple[np.ndarray, np.ndarray, np.ndarray]
    y: tuple[np.ndarray, np.ndarray, np.ndarray]
    baseline: np.ndarray | None = None

    @staticmethod
    def of(tokens: Tokens) -> Moments:
        """Of every trial: features where present, targets where known (one label per trial, or the tokens')."""
        columns = np.repeat(tokens.mask, [len(n) for n in tokens.layout.features], axis=1)
        x = _by_trial(tokens.x.astype(np.float64), columns, tokens.offsets)
        y, offsets = tokens.y.astype(np.float64), tokens.offsets
        if not tokens.layout.per_token:
            y, offsets = y[tokens.offsets[:-1]], np.arange(len(tokens.trials) + 1)
        return Moments(x, _by_trial(y, np.isfinite(y), offsets), tokens.baseline)

    def scaler(self, trials: np.ndarray) -> Scaler:
        """The maps fitted on these trials."""
        (n, level, squares), of_y = (tuple(part[trials] for part in moments) for moments in (self.x, self.y))
        coefficient = np.zeros(level.shape[1])
        if self.baseline is not None:
            before = self.baseline[trials].astype(np.float64)
            coefficient = _slope(before, level, n > 0)
            level = level - coefficient * before
        return Scaler(*_together(n, level, squares), *_together(*of_y), coefficient)


def _by_trial(values: np.ndarray, known: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    starts, lengths = offsets[:-1], np.diff(offsets)
    if len(lengths) and lengths.min() < 1:
        raise HimoeError("a trial without tokens was prepared; prepare the subject again")  # reduceat would take its neighbour
    n = np.add.reduceat(known.astype(np.float64), starts, axis=0)
    mean = np.add.reduceat(np.where(known, values, 0), starts, axis=0) / np.maximum(n, 1)
    about = np.where(known, values - np.repeat(mean, lengths, axis=0), 0)
    return n, mean, np.add.reduceat(about**2, starts, axis=0)


def _slope(before: np.ndarray, level: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Least-squares slope of each feature's trial mean on its baseline, (n_trials, n_features) each, over the trials in which
    it is known, within 0 to 1; 0 where the baseline does not vary. What trial and baseline share is what drifts (or differs
    between people), so this is the part of a baseline worth subtracting; the rest is the noise of a short recording."""
    n = np.maximum(known.sum(0), 1)
    x, y = (np.where(known, a - np.where(known, a, 0).sum(0) / n, 0) for a in (before, level))
    spread = (x**2).sum(0)
    return np.clip((x * y).sum(0) / np.where(spread > 1e-9 * n, spread, np.inf), 0, 1)


def _together(n: np.ndarray, mean: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, standard deviation) of all trials together; 1 where there is no spread."""
    total = np.maximum(n.sum(0), 1)
    overall = (n * mean).sum(0) / total
    scale = np.sqrt((squares + n * (mean - overall) ** 2).sum(0) / total)
    return overall, np.where(scale > 1e-9, scale, 1.0)
