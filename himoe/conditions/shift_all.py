"""Every modality of a trial is shifted in time by a constant of its own, uniform up to the severity, forwards or backwards,
by whole tokens. Only relative lags can be found then: nothing tells which modality is in time with the labels. The ends of a
trial are not scored. Where there is one rating per trial, a flat curve is no sign of robustness: a model that averages over
time is invariant to shifts by construction."""

from __future__ import annotations

import numpy as np

from himoe.conditions._shift import delayed, each_by_its_own, steps
from himoe.data.perturbation import Perturbation
from himoe.types import Tokens

TITLE = "constant shift of every modality"
UNIT = "s at most"
SECTION = "async"
WHOLE_TOKENS = True


def injected(tokens: Tokens, severity: float, rng: np.random.Generator) -> np.ndarray:
    """Delay of each modality of a trial, tokens (M,), uniform within ``severity`` s either way."""
    largest = steps(severity, tokens.layout.token_rate, "shift_all")
    return each_by_its_own(tokens.mask.shape[1], largest, rng)


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial with every modality delayed or advanced by up to ``severity`` s."""
    return delayed(tokens, injected(tokens, severity, rng))


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: there a shifted modality may be of the other end."""
    return round(abs(severity) * token_rate)
