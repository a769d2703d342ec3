"""Losses. A loss names its equation and source; all are means over what is valid."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def masked_mean(x: Tensor, mask: Tensor, dim: int) -> Tensor:
    """Mean of x (..., d) over ``dim`` where mask (..., broadcastable without d) is true; 0 where nothing is."""
    weight = mask.unsqueeze(-1).to(x.dtype)
    return (x * weight).sum(dim) / weight.sum(dim).clamp(min=1)


def squared_error(prediction: Tensor, y: Tensor) -> Tensor:
    """Mean squared error of (n, n_outputs), NaN targets left out."""
    known = torch.isfinite(y)
    error = torch.where(known, prediction - torch.where(known, y, 0.0), 0.0)
    return (error**2).sum() / known.sum().clamp(min=1)


def affect_loss(said: Tensor, mask: Tensor, y: Tensor) -> Tensor:
    """Mean squared error of what each present modality says by itself: said (B, T, M, n), mask (B, T, M), y (B, T, n), NaN
    targets left out. Ours: it makes the space that modalities share one of what they say of the targets."""
    known = torch.isfinite(y).unsqueeze(2) & mask.unsqueeze(-1)
    error = torch.where(known, said - torch.where(torch.isfinite(y), y, 0.0).unsqueeze(2), 0.0)
    return (error**2).sum() / known.sum().clamp(min=1)


def concordance_loss(prediction: Tensor, y: Tensor) -> Tensor:
    """1 - CCC over the batch, (n, n_outputs), mean over targets, population moments (Lin 1989); NaN targets left out."""
    known = torch.isfinite(y)
    n = known.sum(0).clamp(min=1)
    y = torch.where(known, y, 0.0)
    p = torch.where(known, prediction, 0.0)
    mean_y, mean_p = y.sum(0) / n, p.sum(0) / n
    dy, dp = torch.where(known, y - mean_y, 0.0), torch.where(known, p - mean_p, 0.0)
    scale = (dy**2).sum(0) / n + (dp**2).sum(0) / n + (mean_y - mean_p) ** 2
    return (1 - 2 * (dy * dp).sum(0) / n / scale.clamp(min=1e-8)).mean()


def balance_loss(combine: Tensor, valid: Tensor) -> Tensor:
    """Squared coefficient of variation of the experts' importance: combine (n, n_experts) summed where valid (n,)
    (Shazeer et al. 2017, eq. 6-7)."""
    importance = torch.where(valid.unsqueeze(-1), combine, 0.0).sum(0)
    return importance.var(unbiased=False) / importance.mean().clamp(min=1e-8) ** 2


def router_z_loss(logits: Tensor, valid: Tensor) -> Tensor:
    """Mean squared log-sum-exp of router logits (n, n_experts) where valid (n,) (Zoph et al. 2022, eq. 5)."""
    z = torch.logsumexp(logits, dim=-1) ** 2
    return torch.where(valid, z, 0.0).sum() / valid.sum().clamp(min=1)


def diversity_loss(prototypes: Tensor) -> Tensor:
    """Mean squared cosine between different prototypes (K, d): 0 when orthogonal. Ours."""
    unit = F.normalize(prototypes, dim=-1)
    cosine = unit @ unit.T
    n = len(prototypes)
    return (cosine**2).sum().sub(n).clamp(min=0) / max(n * (n - 1), 1)


def info_nce(a: Tensor, b: Tensor, trial: Tensor, valid: Tensor, temperature: float) -> Tensor:
    """Symmetric InfoNCE between views a, b (..., B, d) of the same windows (van den Oord et al. 2018, eq. 4), (...,).

    Windows of the same trial (B,) are no negatives of one another; rows where either view is absent (valid (..., B)) take
    no part.
    """
    logits = F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).transpose(-1, -2) / temperature
    eye = torch.eye(len(trial), dtype=torch.bool, device=a.device)
    left_out = (trial[:, None] == trial) | ~(valid.unsqueeze(-1) & valid.unsqueeze(-2))
    logits = logits.masked_fill(left_out & ~eye, -1e9)
    loss = -0.5 * (F.log_softmax(logits, -1) + F.log_softmax(logits, -2)).diagonal(dim1=-2, dim2=-1)
    return torch.where(valid, loss, 0.0).sum(-1) / valid.sum(-1).clamp(min=1)
