"""What the fit of one fold leaves behind: affine maps of features and targets, arrays to store, what happened, who was read."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from himoe.types import Tokens

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Scaler:
    """Affine maps fitted on training rows: features to unit variance where present, targets to unit variance."""

    mean: np.ndarray
    scale: np.ndarray
    y_mean: np.ndarray
    y_scale: np.ndarray

    @staticmethod
    def fit(tokens: Tokens) -> Scaler:
        """Moments over present tokens; targets over labels (trials, or tokens where they vary within a trial)."""
        columns = np.repeat(tokens.mask, [len(n) for n in tokens.layout.features], axis=1)
        x = np.where(columns, tokens.x, 0).astype(np.float64)
        n = np.maximum(columns.sum(0), 1)
        mean = x.sum(0) / n
        scale = np.sqrt(np.where(columns, (x - mean) ** 2, 0).sum(0) / n)
        y = (tokens.y if tokens.layout.per_token else tokens.y[tokens.offsets[:-1]]).astype(np.float64)
        y_scale = np.nanstd(y, axis=0)
        return Scaler(mean, np.where(scale > 1e-9, scale, 1.0), np.nanmean(y, axis=0), np.where(y_scale > 1e-9, y_scale, 1.0))

    def transform(self, tokens: Tokens) -> Tokens:
        """Scaled tokens; absent ones stay 0."""
        columns = np.repeat(tokens.mask, [len(n) for n in tokens.layout.features], axis=1)
        x = np.where(columns, (tokens.x - self.mean) / self.scale, 0.0).astype(np.float32)
        y = ((tokens.y - self.y_mean) / self.y_scale).astype(np.float32)
        return Tokens(x, tokens.mask, tokens.time, y, tokens.offsets, tokens.trials, tokens.layout)

    def inverse(self, y: np.ndarray) -> np.ndarray:
        """Predictions (n, n_outputs) in the unit of the targets."""
        return y * self.y_scale + self.y_mean


@dataclass
class Fitted:
    """One fold's result: arrays to store, what happened, and who was read."""

    fold: int
    scaler: Scaler
    state: Arrays
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    n_parameters: int = 0
    seconds: float = 0.0
    read: list[str] = field(default_factory=list)
