"""Tokens of every modality are lost at random, each on its own. What is lost at a low rate is lost at a higher one too."""

from __future__ import annotations

import numpy as np

from himoe.data.perturbation import Perturbation, loss
from himoe.types import Tokens

TITLE = "random missing rate"
UNIT = "share of tokens lost"
LIMITS = (0, 1)


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial in which each token of each modality is absent with probability ``severity``."""
    return loss(rng.random(tokens.mask.shape) < severity)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: none."""
    return 0
