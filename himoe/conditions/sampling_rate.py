"""Every modality is measured only once in so many tokens as the severity says (2: half the rate), each at times of its own, and
holds its last value until the next one. The first token of a trial is measured. Severity 1 is as recorded, and so is 0."""

from __future__ import annotations

import numpy as np

from himoe.data.perturbation import Perturbation, displacement
from himoe.types import Tokens

TITLE = "lower sampling rate"
UNIT = "tokens a measurement"
SECTION = "async"
WHOLE = True


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial of which modality m is measured where token + phase_m is a multiple of ``severity``; one ``rng`` measures at
    twice the severity half of the same tokens."""
    phase = rng.integers(0, 2**16, tokens.mask.shape[1])
    at = np.arange(len(tokens.x))[:, None]
    held = (at + phase) % max(round(severity), 1)
    return displacement(np.maximum(at - held, 0))


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: none, for what is held is of the past."""
    return 0
