"""Attention over a few hundred keys, written out: torch's fused kernel has no rule for models that are trained together (vmap),
its gradient on CUDA is not deterministic, and at these lengths it is no faster (measured: CHANGELOG)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

UNSEEN = -1e9


def attend(q: Tensor, k: Tensor, v: Tensor, seen: Tensor) -> Tensor:
    """softmax(q k' / sqrt(w)) v over the keys seen (Vaswani et al. 2017, eq. 1).

    q (..., T, w), k and v (..., U, w), seen (..., T, U) -> (..., T, w); a query that sees nothing gets the mean of v.
    """
    scores = (q / math.sqrt(q.shape[-1])) @ k.transpose(-1, -2) + UNSEEN * ~seen  # added: filling costs a pass of its own back
    return torch.softmax(scores, dim=-1) @ v


def blocks(x: Tensor, size: int, reach: int, value: float = 0.0) -> Tensor:
    """Overlapping blocks in time: x (N, T, w) -> (N, n_blocks, size + 2 reach, w). Block i begins at token i size - reach; past
    the ends stands ``value``."""
    tail = -x.shape[1] % size
    return F.pad(x, (0, 0, reach, reach + tail), value=value).unfold(1, size + 2 * reach, size).transpose(2, 3)
