"""Tokens of every modality lost independently at a rate. Masks are nested: what a low rate loses, a higher one loses too."""

from __future__ import annotations

import numpy as np

from himoe.conditions._present import without
from himoe.types import Tokens

TITLE = "random missing rate"
UNIT = "share of tokens lost"
LIMITS = (0, 1)


def apply(tokens: Tokens, severity: float, rng: np.random.Generator) -> Tokens:
    """One trial with each token of each modality absent with probability ``severity``."""
    return without(tokens, rng.random(tokens.mask.shape) < severity)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that no tested severity may score: none."""
    return 0
