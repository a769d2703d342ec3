"""Every feature replaced by independent N(0, 1) noise, in training and in test, through the identical pipeline; presence and
labels stay. A model that still has skill reads the labels from somewhere else: who was recorded, what is missing, the clock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from himoe.types import Tokens

TITLE = "N(0, 1) physiology"
NEEDS_INPUT = True


def apply(tokens: Tokens, seed: int) -> Tokens:
    """Noise of its own for each trial, by its content: the same in fit and test, whatever else is loaded."""
    x = np.empty_like(tokens.x)
    for trial, first, last in zip(tokens.trials, tokens.offsets[:-1], tokens.offsets[1:], strict=True):
        rng = np.random.default_rng([seed, int(trial.digest[:15], 16)])
        x[first:last] = rng.standard_normal((last - first, x.shape[1]))
    columns = np.repeat(tokens.mask, [len(n) for n in tokens.layout.features], axis=1)
    return replace(tokens, x=np.where(columns, x, 0.0).astype(np.float32))
