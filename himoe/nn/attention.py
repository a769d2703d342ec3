"""Attention over a few hundred keys, written out: torch's fused kernel has no rule for models that are trained together (vmap),
its gradient on CUDA is not deterministic, and at these lengths it is no faster (measured: CHANGELOG)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

UNSEEN = -1e9


def attend(q: Tensor, k: Tensor, v: Tensor, seen: Tensor) -> Tensor:
    """softmax(q k' / sqrt(w)) v over the keys seen (Vaswani et al. 2017, eq. 1).

    q (..., T, w), k and v (..., U, w), seen (..., T, U) -> (..., T, w); a query that sees nothing gets the mean of v.
    """
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    return torch.softmax(scores.masked_fill(~seen, UNSEEN), dim=-1) @ v
