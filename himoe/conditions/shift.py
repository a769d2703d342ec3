"""One modality of each trial, drawn at random, is displaced in time by a constant, either way. Token shifts are exact.

Ends are scored only where every tested severity has data: an edge would encode the shift.
"""

from __future__ import annotations

import numpy as np

from himoe.conditions._shift import delayed, steps
from himoe.types import Tokens

TITLE = "constant shift of one modality"
UNIT = "s"
WHOLE_TOKENS = True


def injected(tokens: Tokens, severity: float, rng: np.random.Generator) -> np.ndarray:
    """How late each modality of a trial is made, tokens (M,): one of those present, by ``severity`` s."""
    present = np.flatnonzero(tokens.mask.any(0))
    pick, sign = rng.random(), rng.choice([-1, 1])
    by = np.zeros(tokens.mask.shape[1], np.int64)
    if len(present):
        by[present[int(pick * len(present))]] = sign * steps(severity, tokens.layout.token_rate, "shift")
    return by


def apply(tokens: Tokens, severity: float, rng: np.random.Generator) -> Tokens:
    """One trial with one present modality delayed or advanced by ``severity`` s; what leaves the trial is absent."""
    return delayed(tokens, injected(tokens, severity, rng))


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that hold no data of a modality moved by ``severity`` s."""
    return round(abs(severity) * token_rate)
