"""One modality is absent from every trial, from beginning to end: severity 1 is the first modality of the data set, 2 the
second, and so on. The severity is its number, not a strength."""

from __future__ import annotations

import numpy as np

from himoe.conditions._present import without
from himoe.data.perturbation import Perturbation
from himoe.types import Tokens

TITLE = "one modality absent"
UNIT = "number of the modality"
WHOLE = True
NUMBERED = True


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial without the modality of that number; severity 0 has them all."""
    return without(tokens, absent(severity, tokens.mask.shape[1]))


def n_severities(n_modalities: int) -> int:
    """All present, and each of them absent; of one alone nothing can be absent."""
    return n_modalities + 1 if n_modalities > 1 else 1


def absent(severity: float, n_modalities: int) -> tuple[int, ...]:
    """The modality of that number."""
    return (round(severity) - 1,) if severity else ()


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: none."""
    return 0
