"""Scaled dot-product attention over a few hundred keys, written out. torch's fused kernel cannot be vmapped over stacked
models, its gradient on CUDA is not deterministic, and at these lengths it is no faster (measured: CHANGELOG)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

MASKED_LOGIT = -1e9  # not -inf: a softmax over masked entries alone stays finite, and so does its gradient


def hidden(seen: Tensor) -> Tensor:
    """What :func:`attend` adds to its scores: 0 where a query sees a key, seen (..., T, U) bool, else almost minus infinity. It
    is added, as masked_fill would cost one more pass over the scores in the backward."""
    return MASKED_LOGIT * ~seen


def attend(q: Tensor, k: Tensor, v: Tensor, unseen: Tensor) -> Tensor:
    """softmax(q k' / sqrt(w)) v over the visible keys (Vaswani et al. 2017, eq. 1).

    q (..., T, w), k and v (..., U, w), unseen (..., T, U) of :func:`hidden` -> (..., T, w). A query that sees no key gets the
    mean of v.
    """
    scores = (q / math.sqrt(q.shape[-1])) @ k.transpose(-1, -2) + unseen  # (..., T, U)
    return torch.softmax(scores, dim=-1) @ v


def blocks(x: Tensor, size: int, reach: int, value: float = 0.0) -> Tensor:
    """Overlapping blocks in time: x (N, T, w) -> (N, n_blocks, size + 2 reach, w), 2 reach <= size.

    Block i begins at token i size - reach; beyond either end it is padded with ``value``. Made of slices: the gradient of
    ``unfold`` is ten times slower.
    """
    tail = -x.shape[1] % size  # tokens missing in the last block
    rows = F.pad(x, (0, 0, reach, size - reach + tail), value=value).unflatten(1, (-1, size))  # (N, n_blocks + 1, size, w)
    return torch.cat([rows[:, :-1], rows[:, 1:, : 2 * reach]], dim=2) if reach else rows[:, :-1]
