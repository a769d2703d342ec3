"""Loss of tokens: what the conditions that make a trial incomplete share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from himoe.types import Tokens


def without(tokens: Tokens, lost: np.ndarray) -> Tokens:
    """Tokens without those that are ``lost`` (n_tokens, n_modalities): these are absent, and their features 0."""
    mask = tokens.mask & ~lost
    columns = np.repeat(mask, [len(n) for n in tokens.layout.features], axis=1)
    return replace(tokens, mask=mask, x=np.where(columns, tokens.x, 0.0))


def out_at_once(tokens: Tokens, n_left: Callable[[int], int], seconds: float, rng: np.random.Generator) -> Tokens:
    """One trial of whose n present modalities only ``n_left(n)``, drawn at random, are left for ``seconds`` after a third."""
    present, start = rng.permutation(np.flatnonzero(tokens.mask.any(0))), len(tokens.x) // 3
    lost = np.zeros_like(tokens.mask)
    gone = present[: max(0, len(present) - n_left(len(present)))]
    lost[start : start + round(seconds * tokens.layout.token_rate), gone] = True
    return without(tokens, lost)
