"""Every token of every modality is out of place, each by a number of tokens of its own, uniform up to the severity, forwards or
backwards. What leaves the trial at one end comes in at the other; the ends are not scored. Where there is one rating per
trial, a flat curve is no sign of robustness: a model that averages over time is nearly invariant to it by construction."""

from __future__ import annotations

import numpy as np

from himoe.conditions._shift import delayed, steps
from himoe.data.perturbation import Perturbation
from himoe.types import Tokens

TITLE = "jitter of every token"
UNIT = "s at most"
SECTION = "async"
WHOLE_TOKENS = True


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial with every token delayed or advanced by up to ``severity`` s; larger ones alike, only farther."""
    largest = steps(severity, tokens.layout.token_rate, "jitter")
    return delayed(tokens, np.rint(rng.uniform(-1, 1, tokens.mask.shape) * largest).astype(np.int64))


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: there a token may be of the other end."""
    return round(abs(severity) * token_rate)
