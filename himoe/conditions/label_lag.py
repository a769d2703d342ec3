"""Labels come late, as those of people do who need time to say what they feel: all modalities are ahead of them by the
severity, and in time with one another. What leaves the trial at one end comes in at the other; the ends are not scored, so
that the same labels are scored at every severity. Where there is one rating per trial, a flat curve is no sign of robustness:
it is not late."""

from __future__ import annotations

import numpy as np

from himoe.conditions._shift import delayed, steps
from himoe.data.perturbation import Perturbation
from himoe.types import Tokens

TITLE = "late labels"
UNIT = "s"
SECTION = "async"
WHOLE_TOKENS = True


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial in which the label of a moment stands beside what was recorded ``severity`` s after it."""
    k = steps(severity, tokens.layout.token_rate, "label_lag")
    return delayed(tokens, np.full(tokens.mask.shape[1], -k))


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: there what was recorded is of the other end."""
    return round(abs(severity) * token_rate)
