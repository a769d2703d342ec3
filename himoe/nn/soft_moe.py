"""Masked soft mixture of experts over the modality tokens of one time step.

Axes: N steps, S tokens (modalities and one null token), E experts (one slot each), d width, h hidden.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.nn.linear import Linear

ABSENT = -1e9


class Routed(NamedTuple):
    """out (N, S, d); combine (N, S, E): how much of each expert each token takes, 0 where absent; logits (N, S, E)."""

    out: Tensor
    combine: Tensor
    logits: Tensor


class Experts(nn.Module):
    """E feed-forward experts as one batched product: the op count does not depend on E."""

    def __init__(self, n_experts: int, d: int, hidden: int):
        super().__init__()
        self.up = nn.Parameter(torch.randn(n_experts, d, hidden) / d**0.5)
        self.up_bias = nn.Parameter(torch.zeros(n_experts, 1, hidden))
        self.down = nn.Parameter(torch.randn(n_experts, hidden, d) / hidden**0.5)

    def forward(self, x: Tensor) -> Tensor:
        """x (E, N, d), or (N, d) for all experts alike -> (E, N, d)."""
        x = x.expand(len(self.up), *x.shape[-2:])
        return torch.bmm(F.gelu(torch.baddbmm(self.up_bias, x, self.up)), self.down)


class MaskedSoftMoE(nn.Module):
    """Soft MoE (Puigcerver et al. 2023, eq. 1-3) in which absent tokens neither enter a slot nor receive one.

    dispatch = softmax over *present* tokens, combine = softmax over experts; logits take the cosine form of their
    section 2.3 plus a bias given by the caller (presence bits, agreement).
    """

    def __init__(self, d: int, n_experts: int, hidden: int):
        super().__init__()
        self.norm = nn.LayerNorm(d)
        self.slots = nn.Parameter(torch.randn(n_experts, d) / d**0.5)
        self.scale = nn.Parameter(torch.tensor(4.0))
        self.experts = Experts(n_experts, d, hidden)

    def forward(self, tokens: Tensor, mask: Tensor, bias: Tensor) -> Routed:
        """tokens (N, S, d), mask (N, S), bias (N, S, E); at least one token of each step must be present."""
        x = self.norm(tokens)
        present = mask.unsqueeze(-1)
        logits = self.scale * F.normalize(x, dim=-1) @ F.normalize(self.slots, dim=-1).T + bias
        dispatch = torch.softmax(logits.masked_fill(~present, ABSENT), dim=1) * present
        combine = torch.softmax(logits, dim=2) * present
        slots = torch.einsum("nse,nsd->end", dispatch, torch.where(present, x, 0.0))
        out = torch.einsum("nse,end->nsd", combine, self.experts(slots))
        return Routed(out, combine, logits)


class MaskedFusion(nn.Module):
    """Softmax over present tokens to one vector per step."""

    def __init__(self, d: int):
        super().__init__()
        self.score = Linear(d, 1, bias=False)

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """tokens (N, S, d), mask (N, S) -> fused (N, d), weights (N, S), exactly 0 where absent."""
        weights = torch.softmax(self.score(tokens).squeeze(-1).masked_fill(~mask, ABSENT), dim=1) * mask
        return torch.einsum("ns,nsd->nd", weights, torch.where(mask.unsqueeze(-1), tokens, 0.0)), weights
