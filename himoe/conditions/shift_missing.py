"""Incomplete and asynchronous at once: every modality is shifted by a constant of its own, uniform up to the severity, forwards
or backwards, and three in ten of its tokens are lost at random. At severity 0 neither happens."""

from __future__ import annotations

import numpy as np

from himoe.conditions._present import without
from himoe.conditions._shift import delayed, each_by_its_own, steps
from himoe.types import Tokens

TITLE = "shift of every modality with 30% missing"
UNIT = "s at most"
WHOLE_TOKENS = True
RATE = 0.3


def apply(tokens: Tokens, severity: float, rng: np.random.Generator) -> Tokens:
    """One trial, shifted and then thinned. All severities above 0 lose the same tokens of the part that is scored."""
    lost = rng.random(tokens.mask.shape) < RATE
    if not severity:
        return tokens
    largest = steps(severity, tokens.layout.token_rate, "shift_missing")
    moved = delayed(tokens, each_by_its_own(lost.shape[1], largest, rng))
    return without(moved, lost)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: there a shifted modality may be of the other end."""
    return round(abs(severity) * token_rate)
