"""All of each trial's modalities but two, drawn at random, are lost at once from a third of the trial's length on, for as many
seconds as the severity says (or to the trial's end); of two modalities one stays."""

from __future__ import annotations

import numpy as np

from himoe.conditions._present import out_at_once
from himoe.types import Tokens

TITLE = "outage of all modalities but two"
UNIT = "s"


def apply(tokens: Tokens, severity: float, rng: np.random.Generator) -> Tokens:
    """One trial with an outage of ``severity`` s."""
    return out_at_once(tokens, lambda n: max(1, min(2, n - 1)), severity, rng)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that no tested severity may score: none."""
    return 0
