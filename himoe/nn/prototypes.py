"""Emotion expert bank: prototypes on the valence-arousal plane, routed by differential attention.

Axes: B windows, T tokens, K prototypes (one expert each), H heads, d width.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.nn.linear import Linear
from himoe.nn.soft_moe import Experts

MAX_LAMBDA = 0.9


class Felt(NamedTuple):
    """out (B, T, d); weights (B, T, K): signed, mean over heads; first (B, T, K): the first softmax map; lam ()."""

    out: Tensor
    weights: Tensor
    first: Tensor
    lam: Tensor


def anchors(n_prototypes: int, n_outputs: int) -> Tensor:
    """Where each prototype stands, (K, n_outputs), in training-standardised units.

    One target: evenly on [-1.5, 1.5]. More: on a circle of radius 1.5 in the plane of the first two (valence, arousal:
    the circumplex of Russell 1980), 0 in the others.
    """
    if n_outputs == 1:
        return torch.linspace(-1.5, 1.5, n_prototypes).unsqueeze(-1)
    angle = 2 * math.pi * torch.arange(n_prototypes) / n_prototypes
    plane = 1.5 * torch.stack([angle.cos(), angle.sin()], dim=-1)
    return F.pad(plane, (0, n_outputs - 2))


class DifferentialPrototypes(nn.Module):
    """Signed expert weights A = softmax(q1 k1') - lambda softmax(q2 k2') over prototypes (Ye et al. 2024, eq. 1-3).

    lambda = exp(lq1 . lk1) - exp(lq2 . lk2) + lambda_init, held within [0, 0.9]; per-head RMSNorm times
    1 - lambda_init; residual. lambda = 0 is a plain mixture over prototypes: that is what ``differential=False`` leaves.
    """

    def __init__(
        self, d: int, n_prototypes: int, n_heads: int, hidden: int, n_outputs: int, lambda_init: float = 0.5,
        differential: bool = True,
    ):  # fmt: skip
        super().__init__()
        self.n_heads, self.width, self.lambda_init = n_heads, d // n_heads, lambda_init
        self.differential = differential
        self.norm = nn.LayerNorm(d)
        self.prototypes = nn.Parameter(torch.randn(n_prototypes, d))
        self.query, self.key = Linear(d, 2 * d), Linear(d, 2 * d)
        self.lambda_vectors = nn.Parameter(0.1 * torch.randn(4, self.width))
        self.experts = Experts(n_prototypes, d, hidden)
        self.out = Linear(d, d)
        self.register_buffer("anchors", anchors(n_prototypes, n_outputs), persistent=False)

    def lam(self) -> Tensor:
        """The current lambda, a scalar."""
        if not self.differential:
            return self.lambda_vectors.new_zeros(())
        q1, k1, q2, k2 = self.lambda_vectors
        value = torch.exp((q1 * k1).sum()) - torch.exp((q2 * k2).sum()) + self.lambda_init
        return value.clamp(0.0, MAX_LAMBDA)

    def forward(self, z: Tensor) -> Felt:
        """z (B, T, d) -> z plus the experts' signed mixture, and how it was mixed."""
        x = self.norm(z)
        q = self.query(x).unflatten(-1, (2, self.n_heads, self.width))  # (B, T, 2, H, w)
        k = self.key(self.prototypes).unflatten(-1, (2, self.n_heads, self.width))  # (K, 2, H, w)
        maps = torch.softmax(torch.einsum("btihw,kihw->btihk", q, k) / math.sqrt(self.width), dim=-1)
        lam = self.lam()
        signed = maps[:, :, 0] - lam * maps[:, :, 1]  # (B, T, H, K)
        values = self.experts(x.flatten(0, 1)).unflatten(-1, (self.n_heads, self.width))  # (K, B*T, H, w)
        mixed = torch.einsum("nhk,knhw->nhw", signed.flatten(0, 1), values)
        mixed = F.rms_norm(mixed, (self.width,)) * (1 - self.lambda_init)
        out = z + self.out(mixed.flatten(1)).unflatten(0, z.shape[:2])
        return Felt(out, signed.mean(2), maps[:, :, 0].mean(2), lam)

    def anchor_loss(self, first: Tensor, y: Tensor, valid: Tensor) -> Tensor:
        """Squared distance of the weights' barycentre of anchors from the target, where known. Ours."""
        error = first @ self.anchors - torch.where(torch.isfinite(y), y, 0.0)
        known = torch.isfinite(y) & valid.unsqueeze(-1)
        return (torch.where(known, error, 0.0) ** 2).sum() / known.sum().clamp(min=1)
