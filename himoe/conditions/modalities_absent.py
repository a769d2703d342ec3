"""As many of each trial's modalities as the severity says, drawn at random, are absent from beginning to end; one always stays.
Those that are absent at a low severity are absent at a higher one too."""

from __future__ import annotations

import numpy as np

from himoe.conditions._present import some_out
from himoe.data.perturbation import Perturbation
from himoe.types import Tokens

TITLE = "modalities absent"
UNIT = "modalities"
WHOLE = True


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial without ``severity`` of the modalities that it has."""
    return some_out(tokens, severity, slice(None), rng)


def n_severities(n_modalities: int) -> int:
    """From none to all but one."""
    return max(1, n_modalities)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: none."""
    return 0
