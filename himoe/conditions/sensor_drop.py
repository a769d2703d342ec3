"""As many of each trial's modalities as the severity says, drawn at random, drop from the middle of the trial and do not come
back; one always stays. Those that drop at a low severity drop at a higher one too."""

from __future__ import annotations

import numpy as np

from himoe.conditions._present import some_out
from himoe.data.perturbation import Perturbation
from himoe.types import Tokens

TITLE = "sensors that drop in the middle"
UNIT = "modalities"
WHOLE = True


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial without ``severity`` of its modalities from its middle to its end."""
    return some_out(tokens, severity, slice(len(tokens.x) // 2, None), rng)


def n_severities(n_modalities: int) -> int:
    """From none to all but one."""
    return max(1, n_modalities)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: none."""
    return 0
