"""Emotion expert bank: prototypes on the valence-arousal plane, routed by differential attention.

Axes: B windows, T tokens, K prototypes (one expert each), H heads, w = d / H width of a head, d width.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.nn.linear import Linear
from himoe.nn.losses import known_targets
from himoe.nn.soft_moe import Experts

MAX_LAMBDA = 0.9


class PrototypeOutput(NamedTuple):
    """out (B, T, d); weights (B, T, K): signed expert weights, mean over heads; first_map (B, T, K): the first softmax alone, a
    distribution over prototypes, mean over heads; lam (): lambda."""

    out: Tensor
    weights: Tensor
    first_map: Tensor
    lam: Tensor


def anchor_points(n_prototypes: int, n_outputs: int) -> Tensor:
    """Fixed target values that prototypes are tied to, (K, n_outputs), in training-standardised units.

    One target: evenly spaced on [-1.5, 1.5]. More: on a circle of radius 1.5 in the plane of the first two (valence and
    arousal: the circumplex of Russell 1980), 0 in the others.
    """
    if n_outputs == 1:
        return torch.linspace(-1.5, 1.5, n_prototypes).unsqueeze(-1)
    angle = 2 * math.pi * torch.arange(n_prototypes) / n_prototypes
    plane = 1.5 * torch.stack([angle.cos(), angle.sin()], dim=-1)
    return F.pad(plane, (0, n_outputs - 2))


class DifferentialPrototypes(nn.Module):
    """Experts weighted by differential attention over prototypes, A = softmax(q1 k1') - lambda softmax(q2 k2')
    (Ye et al. 2024, eq. 1-3), with a residual connection.

    lambda = exp(lq1 . lk1) - exp(lq2 . lk2) + lambda_init, clamped to [0, 0.9]; RMSNorm per head, times 1 - lambda_init.
    ``differential=False`` fixes lambda at 0, which leaves a plain softmax over prototypes.
    """

    anchors: Tensor

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
        # not persistent: follows from the arguments, and stacked models keep parameters only
        self.register_buffer("anchors", anchor_points(n_prototypes, n_outputs), persistent=False)

    def lam(self) -> Tensor:
        """The current lambda, a scalar."""
        if not self.differential:
            return self.lambda_vectors.new_zeros(())
        q, k = self.lambda_vectors.unflatten(0, (2, 2)).unbind(1)  # each (2, w)
        first, second = torch.exp((q * k).sum(1)).unbind()
        return (first - second + self.lambda_init).clamp(0.0, MAX_LAMBDA)

    def forward(self, z: Tensor) -> PrototypeOutput:
        """z (B, T, d) -> z plus the experts' signed mixture, with the weights it was mixed by."""
        x = self.norm(z)  # (B, T, d)
        q = self.query(x).unflatten(-1, (2, self.n_heads, self.width))  # (B, T, 2, H, w)
        k = self.key(self.prototypes).unflatten(-1, (2, self.n_heads, self.width))  # (K, 2, H, w)
        maps = torch.softmax(torch.einsum("btihw,kihw->btihk", q, k) / math.sqrt(self.width), dim=-1)  # (B, T, 2, H, K)
        lam = self.lam()
        signed = maps[:, :, 0] - lam * maps[:, :, 1]  # (B, T, H, K)
        values = self.experts(x.flatten(0, 1)).unflatten(-1, (self.n_heads, self.width))  # (K, B*T, H, w)
        weight = signed.flatten(0, 1).permute(2, 0, 1).unsqueeze(-1)  # (K, B*T, H, 1)
        mixed = (weight * values).sum(0)  # (B*T, H, w)
        mixed = F.rms_norm(mixed, (self.width,)) * (1 - self.lambda_init)
        out = z + self.out(mixed.flatten(1)).unflatten(0, z.shape[:2])  # (B, T, d)
        return PrototypeOutput(out, signed.mean(2), maps[:, :, 0].mean(2), lam)

    def anchor_loss(self, first_map: Tensor, y: Tensor, valid: Tensor) -> Tensor:
        """Mean over known targets of (sum_k a_k anchor_k - y)^2: the first map's expected anchor is to be the target. Ours.

        first_map a (B, T, K), y (B, T, n_outputs), NaN where unknown, valid (B, T) -> ().
        """
        error = first_map @ self.anchors - torch.nan_to_num(y)  # (B, T, n_outputs)
        known = known_targets(y) & valid.unsqueeze(-1)
        return (torch.where(known, error, 0.0) ** 2).sum() / known.sum().clamp(min=1)
