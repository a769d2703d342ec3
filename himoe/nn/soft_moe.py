"""Masked soft mixture of experts over the modality tokens of one time step.

Axes: N steps, S tokens (modalities and one null token), E experts (one slot each), d width, h hidden width.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.nn.attention import MASKED_LOGIT
from himoe.nn.linear import Linear


class MoEOutput(NamedTuple):
    """out (N, S, d); combine (N, S, E): weight of each expert in each token's output, 0 where absent; logits (N, S, E)."""

    out: Tensor
    combine: Tensor
    logits: Tensor


class Experts(nn.Module):
    """E feed-forward experts as one batched product: the number of operations does not depend on E."""

    def __init__(self, n_experts: int, d: int, hidden: int):
        super().__init__()
        self.up = nn.Parameter(torch.randn(n_experts, d, hidden) / d**0.5)
        self.up_bias = nn.Parameter(torch.zeros(n_experts, 1, hidden))
        self.down = nn.Parameter(torch.randn(n_experts, hidden, d) / hidden**0.5)

    def forward(self, x: Tensor) -> Tensor:
        """x (E, N, d), an input for each expert, or (N, d), one input for all -> (E, N, d)."""
        x = x.expand(len(self.up), *x.shape[-2:])  # (E, N, d)
        return torch.bmm(F.gelu(torch.baddbmm(self.up_bias, x, self.up)), self.down)


class MaskedSoftMoE(nn.Module):
    """Soft MoE (Puigcerver et al. 2023, eq. 1-3) in which absent tokens neither enter a slot nor receive one.

    Dispatch weights are a softmax over the *present* tokens, combine weights a softmax over experts. Logits are the scaled
    cosines of their section 2.3 plus a bias from the caller (presence, agreement).
    """

    def __init__(self, d: int, n_experts: int, hidden: int):
        super().__init__()
        self.norm = nn.LayerNorm(d)
        self.slots = nn.Parameter(torch.randn(n_experts, d) / d**0.5)
        self.scale = nn.Parameter(torch.tensor(4.0))
        self.experts = Experts(n_experts, d, hidden)

    def forward(self, tokens: Tensor, mask: Tensor, bias: Tensor) -> MoEOutput:
        """tokens (N, S, d), mask (N, S), bias (N, S, E); at least one token of each step must be present."""
        x = self.norm(tokens)  # (N, S, d)
        present, absent = mask.unsqueeze(-1), ~mask.unsqueeze(-1)  # (N, S, 1)
        logits = F.normalize(x, dim=-1) @ (self.scale * F.normalize(self.slots, dim=-1)).T + bias  # (N, S, E)
        dispatch = torch.softmax(logits.masked_fill(absent, MASKED_LOGIT), dim=1) * present  # sums to 1 over S
        combine = torch.softmax(logits, dim=2) * present  # sums to 1 over E
        # 0 * NaN is NaN: a weight of 0 does not suffice, what an absent token holds is removed
        slots = torch.einsum("nse,nsd->end", dispatch, x.masked_fill(absent, 0.0))  # (E, N, d)
        out = torch.einsum("nse,end->nsd", combine, self.experts(slots))  # (N, S, d)
        return MoEOutput(out, combine, logits)


class MaskedFusion(nn.Module):
    """Attention pooling: a softmax over the present tokens of a step to one vector."""

    def __init__(self, d: int):
        super().__init__()
        self.score = Linear(d, 1, bias=False)

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """tokens (N, S, d), mask (N, S) -> fused (N, d), weights (N, S), exactly 0 where absent."""
        scores = self.score(tokens).squeeze(-1)  # (N, S)
        absent = ~mask
        weights = torch.softmax(scores.masked_fill(absent, MASKED_LOGIT), dim=1) * mask
        return (weights.unsqueeze(1) @ tokens.masked_fill(absent.unsqueeze(-1), 0.0)).squeeze(1), weights
