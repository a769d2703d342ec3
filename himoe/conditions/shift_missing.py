"""Incomplete and asynchronous at once: every modality is shifted by a constant of its own, uniform up to the severity, forwards
or backwards, and three in ten of its tokens are lost at random. At severity 0 neither happens. A row of the grid of shifts and
losses, as are the same shifts with nothing and with six in ten lost."""

from __future__ import annotations

import numpy as np

from himoe.conditions._shift import shifted_and_thinned
from himoe.data.perturbation import Perturbation
from himoe.types import Tokens

TITLE = "shift of every modality with 30% missing"
UNIT = "s at most"
SECTION = "async"
WHOLE_TOKENS = True
RATE = 0.3


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial, shifted by up to ``severity`` s and then thinned."""
    return shifted_and_thinned(tokens, severity, RATE, "shift_missing", rng)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: there a shifted modality may be of the other end."""
    return round(abs(severity) * token_rate)
