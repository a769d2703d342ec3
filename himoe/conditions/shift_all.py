"""Every modality of a trial is displaced in time by a constant of its own, uniform up to the severity, either way. Only
relative lags can be found then: nothing says which modality kept the labels' clock. Token shifts are exact; ends are scored
only where every tested severity has data."""

from __future__ import annotations

import numpy as np

from himoe.conditions._shift import delayed, each_by_its_own, steps
from himoe.types import Tokens

TITLE = "constant shift of every modality"
UNIT = "s at most"
WHOLE_TOKENS = True


def injected(tokens: Tokens, severity: float, rng: np.random.Generator) -> np.ndarray:
    """How late each modality of a trial is made, tokens (M,), uniform within ``severity`` s."""
    largest = steps(severity, tokens.layout.token_rate, "shift_all")
    return each_by_its_own(tokens.mask.shape[1], largest, rng)


def apply(tokens: Tokens, severity: float, rng: np.random.Generator) -> Tokens:
    """One trial with every modality delayed or advanced by up to ``severity`` s; what leaves the trial is absent."""
    return delayed(tokens, injected(tokens, severity, rng))


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that may hold no data of a moved modality."""
    return round(abs(severity) * token_rate)
