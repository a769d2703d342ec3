"""One modality of each trial, drawn at random, is displaced in time by a constant, either way. Token shifts are exact.

Ends are scored only where every tested severity has data: an edge would encode the shift.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from himoe.types import HimoeError, Tokens

TITLE = "constant shift of one modality"
UNIT = "s"


def apply(tokens: Tokens, severity: float, rng: np.random.Generator) -> Tokens:
    """One trial with one present modality delayed or advanced by ``severity`` s; what leaves the trial is absent."""
    present = np.flatnonzero(tokens.mask.any(0))
    pick, sign = rng.random(), rng.choice([-1, 1])
    rate = tokens.layout.token_rate
    if abs(severity * rate - round(severity * rate)) > 1e-6:
        raise HimoeError(f"conditions.shift: {severity:g} s is no whole number of tokens at {rate:g} Hz")
    k = round(severity * rate) * sign
    if not len(present) or k == 0:
        return tokens
    m = present[int(pick * len(present))]
    columns = tokens.layout.slices[tokens.layout.modalities[m]]
    x, mask = tokens.x.copy(), tokens.mask.copy()
    x[:, columns], mask[:, m] = 0.0, False
    n = len(x)
    to, source = (slice(k, n), slice(0, n - k)) if k > 0 else (slice(0, n + k), slice(-k, n))
    x[to, columns], mask[to, m] = tokens.x[source, columns], tokens.mask[source, m]
    return replace(tokens, x=x, mask=mask)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that hold no data of a modality moved by ``severity`` s."""
    return round(abs(severity) * token_rate)
