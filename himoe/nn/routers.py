"""Ablations of the two expert banks: the same tokens and as many parameters, another way to route.

Axes: N steps, S tokens (modalities and one null token), E experts, B windows, T tokens over time, K prototypes, H heads,
w = d / H width of a head, d width.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.nn.linear import Linear
from himoe.nn.prototypes import PrototypeOutput
from himoe.nn.soft_moe import Experts, MoEOutput

Gate = Literal["dense", "laplace", "top1", "uniform"]


def gates(x: Tensor, centres: Tensor, scale: Tensor, bias: Tensor, gate: Gate) -> tuple[Tensor, Tensor]:
    """(weights, logits), both (N, S, E), of tokens x (N, S, d) over experts with centres (E, d).

    dense: softmax of scaled cosines (Jacobs et al. 1991, eq. 2). laplace: softmax of minus the scaled distance (Han et al.
    2024, FuseMoE, eq. 3). top1: the largest of the dense weights alone (Fedus et al. 2022, eq. 2). uniform: 1 / E.
    """
    if gate == "laplace":
        logits = bias - scale * (x.unsqueeze(-2) - centres).norm(dim=-1) / x.shape[-1] ** 0.5  # (N, S, E)
    else:
        logits = F.normalize(x, dim=-1) @ (scale * F.normalize(centres, dim=-1)).T + bias  # (N, S, E)
    weights = torch.softmax(logits, dim=-1)
    match gate:
        case "dense" | "laplace":
            return weights, logits
        case "top1":
            return weights * (weights == weights.amax(-1, keepdim=True)), logits
        case "uniform":  # + 0: the router keeps a gradient, of 0
            return torch.full_like(weights, 1 / weights.shape[-1]) + 0 * weights, logits
        case _:
            raise ValueError(f"there is no gate {gate!r}; valid ones: {', '.join(get_args(Gate))}")


class GatedMoE(nn.Module):
    """Each present token through experts weighted by its gates, without the slots of a soft MoE.

    All experts are computed, those with gate 0 too: the number of operations does not depend on E.
    """

    def __init__(self, d: int, n_experts: int, hidden: int, gate: Gate):
        super().__init__()
        self.gate = gate
        self.norm = nn.LayerNorm(d)
        self.centres = nn.Parameter(torch.randn(n_experts, d) / d**0.5)
        self.scale = nn.Parameter(torch.tensor(4.0))
        self.experts = Experts(n_experts, d, hidden)

    def forward(self, tokens: Tensor, mask: Tensor, bias: Tensor) -> MoEOutput:
        """tokens (N, S, d), mask (N, S), bias (N, S, E)."""
        present = mask.unsqueeze(-1)  # (N, S, 1)
        x = torch.where(present, self.norm(tokens), 0.0)  # (N, S, d)
        weights, logits = gates(x, self.centres, self.scale, bias, self.gate)
        combine = weights * present  # (N, S, E)
        outputs = self.experts(x.flatten(0, 1)).unflatten(1, x.shape[:2])  # (E, N, S, d)
        return MoEOutput(torch.einsum("nse,ensd->nsd", combine, outputs), combine, logits)


class ConcatFusion(nn.Module):
    """No experts and no routing: all tokens concatenated, 0 where absent, through one MLP of about ``n_parameters``."""

    def __init__(self, d: int, n_tokens: int, n_parameters: int):
        super().__init__()
        hidden = max(1, round((n_parameters - 2 * n_tokens * d) / (n_tokens * d + d + 1)))
        self.norm = nn.LayerNorm(n_tokens * d)
        self.up, self.down = Linear(n_tokens * d, hidden), Linear(hidden, d)

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """tokens (N, S, d), mask (N, S) -> fused (N, d), equal weights of the present tokens (N, S)."""
        x = torch.where(mask.unsqueeze(-1), tokens, 0.0).flatten(1)  # (N, S*d)
        shares = mask / mask.sum(1, keepdim=True).clamp(min=1)  # (N, S)
        return self.down(F.gelu(self.up(self.norm(x)))), shares


class LinearlyGatedPrototypes(nn.Module):
    """Emotion experts weighted by a linear gate per head, softmax over experts (Jacobs et al. 1991), in place of similarity to
    prototypes."""

    def __init__(self, d: int, n_prototypes: int, n_heads: int, hidden: int):
        super().__init__()
        self.n_heads, self.width = n_heads, d // n_heads
        self.norm, self.gate = nn.LayerNorm(d), Linear(d, n_heads * n_prototypes)
        self.experts, self.out = Experts(n_prototypes, d, hidden), Linear(d, d)

    def forward(self, z: Tensor) -> PrototypeOutput:
        """z (B, T, d) -> z plus the experts' mixture, with the weights it was mixed by."""
        x = self.norm(z)
        weights = torch.softmax(self.gate(x).unflatten(-1, (self.n_heads, -1)), dim=-1)  # (B, T, H, K)
        values = self.experts(x.flatten(0, 1)).unflatten(-1, (self.n_heads, self.width))  # (K, B*T, H, w)
        mixed = torch.einsum("nhk,knhw->nhw", weights.flatten(0, 1), values)  # (B*T, H, w)
        out = z + self.out(mixed.flatten(1)).unflatten(0, z.shape[:2])  # (B, T, d)
        mean = weights.mean(2)  # (B, T, K)
        return PrototypeOutput(out, mean, mean, z.new_zeros(()))


class SingleExpert(nn.Module):
    """One feed-forward layer as wide as all emotion experts together; nothing is routed."""

    def __init__(self, d: int, hidden: int):
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(d), Linear(d, hidden), Linear(hidden, d)

    def forward(self, z: Tensor) -> PrototypeOutput:
        """z (B, T, d) -> z plus the layer's output; weights over no prototypes (B, T, 0)."""
        no_weights = z.new_zeros(*z.shape[:2], 0)
        out = z + self.down(F.gelu(self.up(self.norm(z))))
        return PrototypeOutput(out, no_weights, no_weights, z.new_zeros(()))
