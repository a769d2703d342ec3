"""One modality of each trial, drawn at random, is shifted in time by a constant, forwards or backwards, by whole tokens. What
leaves the trial at one end comes in at the other; the ends are not scored. Where there is one rating per trial,
a flat curve is no sign of robustness: a model that averages over time is invariant to shifts by construction."""

from __future__ import annotations

import numpy as np

from himoe.conditions._shift import delayed, steps
from himoe.data.perturbation import Perturbation
from himoe.types import Tokens

TITLE = "constant shift of one modality"
UNIT = "s"
SECTION = "async"
WHOLE_TOKENS = True


def injected(tokens: Tokens, severity: float, rng: np.random.Generator) -> np.ndarray:
    """Delay of each modality of a trial, tokens (M,): ``severity`` s, either way, of one that is present, else 0."""
    present = np.flatnonzero(tokens.mask.any(0))
    pick, sign = rng.random(), rng.choice([-1, 1])
    by = np.zeros(tokens.mask.shape[1], np.int64)
    if len(present):
        by[present[int(pick * len(present))]] = sign * steps(severity, tokens.layout.token_rate, "shift")
    return by


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial with one present modality delayed or advanced by ``severity`` s."""
    return delayed(tokens, injected(tokens, severity, rng))


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: there a modality shifted by ``severity`` s is of the other end."""
    return round(abs(severity) * token_rate)
