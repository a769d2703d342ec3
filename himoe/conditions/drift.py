"""The clock of every modality runs fast or slow, each by a rate of its own: in time where the trial begins, off by up to the
severity where it ends, by whole tokens in between. The ends are not scored. Where there is one rating per trial, a flat curve
is no sign of robustness: a model that averages over time is nearly invariant to it by construction."""

from __future__ import annotations

import numpy as np

from himoe.conditions._shift import delayed, steps
from himoe.data.perturbation import Perturbation
from himoe.types import Tokens

TITLE = "linear drift of every modality"
UNIT = "s at most, at the end"
SECTION = "async"
WHOLE_TOKENS = True


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial with modality m late by u_m ``severity`` s times the share of the trial that is over, u_m from -1 to 1."""
    n, largest = len(tokens.x), steps(severity, tokens.layout.token_rate, "drift")
    over = np.arange(n) / max(n - 1, 1)
    return delayed(tokens, np.rint(over[:, None] * rng.uniform(-1, 1, tokens.mask.shape[1]) * largest).astype(np.int64))


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: at the end a modality may be of the beginning."""
    return round(abs(severity) * token_rate)
