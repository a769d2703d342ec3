"""Half of each trial's modalities, drawn at random, are shifted in time by a constant, each forwards or backwards, by whole
tokens. The ends of a trial are not scored. Where there is one rating per trial, a flat curve is no sign of robustness: a
model that averages over time is invariant to shifts by construction."""

from __future__ import annotations

import numpy as np

from himoe.conditions._shift import delayed, steps
from himoe.data.perturbation import Perturbation
from himoe.types import Tokens

TITLE = "constant shift of half of the modalities"
UNIT = "s"
SECTION = "async"
WHOLE_TOKENS = True


def injected(tokens: Tokens, severity: float, rng: np.random.Generator) -> np.ndarray:
    """Delay of each modality of a trial, tokens (M,): ``severity`` s, either way, of half of those present (rounded down)."""
    present = rng.permutation(np.flatnonzero(tokens.mask.any(0)))
    by = rng.choice([-1, 1], tokens.mask.shape[1]) * steps(severity, tokens.layout.token_rate, "shift_half")
    by[~np.isin(np.arange(len(by)), present[: len(present) // 2])] = 0
    return by


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial with half of its modalities delayed or advanced by ``severity`` s."""
    return delayed(tokens, injected(tokens, severity, rng))


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: there a modality shifted by ``severity`` s is of the other end."""
    return round(abs(severity) * token_rate)
