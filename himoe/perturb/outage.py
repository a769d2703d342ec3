"""Half of each trial's modalities, drawn at random, are lost at once from a third of the trial's length on, for as many
seconds as the severity says (or to the trial's end)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from himoe.types import Tokens

TITLE = "outage of half of the modalities"
UNIT = "s"


def apply(tokens: Tokens, severity: float, rng: np.random.Generator) -> Tokens:
    """One trial with an outage of ``severity`` s."""
    present, start = rng.permutation(np.flatnonzero(tokens.mask.any(0))), len(tokens.x) // 3
    lost = slice(start, start + round(severity * tokens.layout.token_rate))
    x, mask = tokens.x.copy(), tokens.mask.copy()
    for m in present[: len(present) // 2]:
        mask[lost, m] = False
        x[lost, tokens.layout.slices[tokens.layout.modalities[m]]] = 0.0
    return replace(tokens, x=x, mask=mask)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that no tested severity may score: none."""
    return 0
