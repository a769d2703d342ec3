"""Incomplete and asynchronous at once: three tokens in ten of every modality are lost at random, and every modality is
displaced by a constant of its own, uniform up to the severity, either way. At severity 0 neither."""

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
    """One trial displaced, then thinned; all severities above 0 lose the same tokens of what is scored."""
    lost = rng.random(tokens.mask.shape) < RATE
    if not severity:
        return tokens
    largest = steps(severity, tokens.layout.token_rate, "shift_missing")
    moved = delayed(tokens, each_by_its_own(lost.shape[1], largest, rng))
    return without(moved, lost)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that may hold no data of a moved modality."""
    return round(abs(severity) * token_rate)
