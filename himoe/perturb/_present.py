"""Loss of tokens: what the conditions that make a trial incomplete share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from himoe.types import Tokens


def without(tokens: Tokens, lost: np.ndarray) -> Tokens:
    """Tokens without those lost (n_tokens, n_modalities): absent, and 0 whatever they held."""
    mask = tokens.mask & ~lost
    columns = np.repeat(mask, [len(n) for n in tokens.layout.features], axis=1)
    return replace(tokens, mask=mask, x=np.where(columns, tokens.x, 0.0))
