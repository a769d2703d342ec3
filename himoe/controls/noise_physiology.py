"""Negative control: every feature is independent N(0, 1) noise in training and test data, presence and labels are unchanged.

A model that still has skill predicts labels from something other than physiology: the subject, what is missing, the time.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from himoe.types import Tokens

TITLE = "N(0, 1) physiology"
NEEDS_INPUT = True


def apply(tokens: Tokens, seed: int) -> Tokens:
    """Tokens with noise drawn per trial from the seed and the trial's content: the same whichever other trials are loaded."""
    x = np.empty_like(tokens.x)
    for trial, first, last in zip(tokens.trials, tokens.offsets[:-1], tokens.offsets[1:], strict=True):
        rng = np.random.default_rng([seed, int(trial.digest[:15], 16)])
        x[first:last] = rng.standard_normal((last - first, x.shape[1]))
    columns = np.repeat(tokens.mask, [len(n) for n in tokens.layout.features], axis=1)
    return replace(tokens, x=np.where(columns, x, 0.0).astype(np.float32), baseline=None)  # a baseline is physiology too
