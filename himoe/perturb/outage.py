"""One modality of each trial, drawn at random, is lost from a third of the trial's length on, for as many seconds as the
severity says (or to the trial's end)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from himoe.types import Tokens

TITLE = "outage of one modality"
UNIT = "s"


def apply(tokens: Tokens, severity: float, rng: np.random.Generator) -> Tokens:
    """One trial with an outage of ``severity`` s."""
    present, pick, start = np.flatnonzero(tokens.mask.any(0)), rng.random(), len(tokens.x) // 3
    if not len(present):
        return tokens
    m, lost = present[int(pick * len(present))], slice(start, start + round(severity * tokens.layout.token_rate))
    x, mask = tokens.x.copy(), tokens.mask.copy()
    mask[lost, m] = False
    x[lost, tokens.layout.slices[tokens.layout.modalities[m]]] = 0.0
    return replace(tokens, x=x, mask=mask)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that no tested severity may score: none."""
    return 0
