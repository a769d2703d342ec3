"""Not at random: every modality loses the tokens in which its features are highest, as a sensor does that saturates. What is
lost tells of what was felt, and a model may use that. High is judged within the trial, over all features of the modality alike.
What is lost at a low severity is lost at a higher one too."""

from __future__ import annotations

import numpy as np

from himoe.conditions._present import amplitude, strongest
from himoe.data.perturbation import Perturbation, loss
from himoe.types import Tokens

TITLE = "loss of high amplitudes"
UNIT = "share of tokens lost"
LIMITS = (0, 1)


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial without the ``severity`` of each modality's tokens that are highest."""
    lost = np.zeros(tokens.mask.shape, bool)
    for m, there in enumerate(tokens.mask.T):
        lost[there, m] = strongest(amplitude(tokens, m)[there], severity)
    return loss(lost)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: none."""
    return 0
