"""Tokens as rows of a table, for estimators: one row per label (a trial, or a token where labels vary within it)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from himoe.types import Tokens


@dataclass(frozen=True)
class Rows:
    """x (n_rows, n_features) with 0 where absent; presence (n_rows, n_modalities): share of tokens present;
    y (n_rows, n_outputs); stimulus (n_rows,) names; subject (n_rows,); owner (n_features,) int: whose a column is."""

    x: np.ndarray
    presence: np.ndarray
    y: np.ndarray
    stimulus: np.ndarray
    subject: np.ndarray
    owner: np.ndarray


def to_rows(tokens: Tokens) -> Rows:
    """Masked means over each trial where there is one label per trial; the tokens themselves otherwise."""
    lengths = np.diff(tokens.offsets)
    stimulus = np.array([t.stimulus for t in tokens.trials], object)
    subject = np.array([t.subject for t in tokens.trials], object)
    owner = np.repeat(np.arange(len(tokens.layout.features)), [len(n) for n in tokens.layout.features])
    columns = tokens.mask[:, owner]
    x = np.where(columns, tokens.x, 0.0).astype(np.float64)
    if tokens.layout.per_token:
        names = np.repeat(stimulus, lengths), np.repeat(subject, lengths)
        return Rows(x, tokens.mask.astype(float), tokens.y, *names, owner)
    starts = tokens.offsets[:-1]
    counts = np.add.reduceat(columns.astype(np.float64), starts, axis=0)
    mean = np.add.reduceat(x, starts, axis=0) / np.maximum(counts, 1)
    presence = np.add.reduceat(tokens.mask.astype(np.float64), starts, axis=0) / lengths[:, None]
    return Rows(mean, presence, tokens.y[starts], stimulus, subject, owner)
