"""All but two of each trial's modalities, drawn at random, are lost together; of two modalities one is left. The outage begins
after a third of the trial and lasts for ``severity`` seconds, or to the end of the trial."""

from __future__ import annotations

import numpy as np

from himoe.conditions._present import after_a_third, out_at_once
from himoe.data.perturbation import Perturbation
from himoe.types import Tokens

TITLE = "outage of all modalities but two"
UNIT = "s"


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial with an outage of ``severity`` s."""
    return out_at_once(tokens, lambda n: max(1, min(2, n - 1)), severity, rng)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: none."""
    return 0


def span(n_tokens: int, severity: float, token_rate: float) -> slice:
    """Tokens of a trial of ``n_tokens`` that the outage lasts for."""
    return after_a_third(n_tokens, severity, token_rate)
