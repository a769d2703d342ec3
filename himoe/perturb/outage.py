"""One modality of each trial, drawn at random, is lost from a third of the trial's length on, for as many seconds as the severity
says (or to the trial's end)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from himoe.types import Tokens

TITLE = "outage of one modality"
UNIT = "s"


def injected_outage(tokens: Tokens, severity: float, rng: np.random.Generator) -> tuple[int, slice]:
    """Which modality of a trial is lost, one of those present, and from which token to which."""
    present = np.flatnonzero(tokens.mask.any(0))
    start, pick = len(tokens.x) // 3, rng.random()
    chosen = int(present[int(pick * len(present))]) if len(present) else 0
    return chosen, slice(start, start + round(severity * tokens.layout.token_rate))


def apply(tokens: Tokens, severity: float, rng: np.random.Generator) -> Tokens:
    """One trial with an outage of ``severity`` s."""
    m, lost = injected_outage(tokens, severity, rng)
    x, mask = tokens.x.copy(), tokens.mask.copy()
    mask[lost, m] = False
    x[lost, tokens.layout.slices[tokens.layout.modalities[m]]] = 0.0
    return replace(tokens, x=x, mask=mask)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that no tested severity may score: none."""
    return 0
