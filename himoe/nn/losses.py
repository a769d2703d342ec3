"""Losses, each with its equation and source; all are means over the entries that are valid or known.

Axes: B windows, T tokens, M modalities, n rows, E experts, K prototypes, d width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from himoe.nn.attention import MASKED_LOGIT


def known_targets(y: Tensor) -> Tensor:
    """Where y is not NaN."""
    return y == y  # one operation, where isfinite is four


def masked_mean(x: Tensor, mask: Tensor, dim: int) -> Tensor:
    """Mean over ``dim`` of the entries of x (..., d) where mask (...) is true, 0 where none is."""
    weight = mask.unsqueeze(-1).to(x.dtype)
    return (x * weight).sum(dim) / weight.sum(dim).clamp(min=1)


def squared_error(prediction: Tensor, y: Tensor) -> Tensor:
    """Mean of (prediction - y)^2, both (n, n_outputs), over known targets (NaN: unknown)."""
    known = known_targets(y)
    # NaN is replaced before the subtraction: after it, its gradient would be NaN
    error = torch.where(known, prediction - torch.nan_to_num(y), 0.0)
    return (error**2).sum() / known.sum().clamp(min=1)


def affect_loss(unimodal: Tensor, mask: Tensor, y: Tensor) -> Tensor:
    """Mean of (unimodal_m - y)^2 over present modalities m and known targets: the error of each modality's own prediction.
    Ours.

    unimodal (B, T, M, n_outputs), mask (B, T, M), y (B, T, n_outputs), NaN where unknown. It makes the semantic space that
    modalities share one of the targets.
    """
    known = known_targets(y).unsqueeze(2) & mask.unsqueeze(-1)  # (B, T, M, n_outputs)
    error = torch.where(known, unimodal - torch.nan_to_num(y).unsqueeze(2), 0.0)
    return (error**2).sum() / known.sum().clamp(min=1)


def concordance_loss(prediction: Tensor, y: Tensor) -> Tensor:
    """1 - CCC = 1 - 2 cov(y, p) / (var y + var p + (mean y - mean p)^2), mean over targets (Lin 1989, population moments).

    prediction p and y (n, n_outputs), over the known targets of the batch (NaN: unknown).
    """
    known = known_targets(y)
    n = known.sum(0).clamp(min=1)  # (n_outputs,)
    both = torch.stack([torch.where(known, prediction, 0.0), torch.nan_to_num(y)])  # (2, n, n_outputs), 0 where unknown
    mean = both.sum(1) / n  # (2, n_outputs)
    p, y = (both - mean.unsqueeze(1)) * known
    scale = (p * p + y * y).sum(0) / n + (mean[0] - mean[1]) ** 2
    return (1 - 2 * (p * y).sum(0) / n / scale.clamp(min=1e-8)).mean()


def balance_loss(combine: Tensor, valid: Tensor) -> Tensor:
    """CV(importance)^2 = var / mean^2 over experts, importance being the sum of their gates (Shazeer et al. 2017, eq. 6-7).

    combine (n, E), summed over the rows where valid (n,).
    """
    importance = (combine * valid.unsqueeze(-1)).sum(0)
    return importance.var(unbiased=False) / importance.mean().clamp(min=1e-8) ** 2


def router_z_loss(logits: Tensor, valid: Tensor) -> Tensor:
    """Mean of (log sum_e exp logits_e)^2 over valid rows (Zoph et al. 2022, eq. 5): logits (n, E), valid (n,)."""
    z = torch.logsumexp(logits, dim=-1) ** 2
    return (z * valid).sum() / valid.sum().clamp(min=1)


def diversity_loss(prototypes: Tensor) -> Tensor:
    """Mean over pairs i != j of cos(prototype_i, prototype_j)^2, prototypes (K, d): 0 when orthogonal. Ours."""
    unit = F.normalize(prototypes, dim=-1)
    cosine = unit @ unit.T  # (K, K), its diagonal is 1
    n = len(prototypes)
    return (cosine**2).sum().sub(n).clamp(min=0) / max(n * (n - 1), 1)


def info_nce(a: Tensor, b: Tensor, trial: Tensor, valid: Tensor, temperature: float) -> Tensor:
    """InfoNCE between views a, b (..., B, d) of the same windows, -log exp(s_ii / t) / sum_j exp(s_ij / t) with cosines s, mean
    of both directions (van den Oord et al. 2018, eq. 4; symmetric as in CLIP) -> (...,).

    Windows of the same trial (B,) are not negatives of one another; windows without either view (valid (..., B)) are left out.
    """
    logits = F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).transpose(-1, -2) / temperature  # (..., B, B)
    eye = torch.eye(len(trial), dtype=torch.bool, device=a.device)
    left_out = (trial[:, None] == trial) | ~(valid.unsqueeze(-1) & valid.unsqueeze(-2))
    logits = logits.masked_fill(left_out & ~eye, MASKED_LOGIT)
    loss = -0.5 * (F.log_softmax(logits, -1) + F.log_softmax(logits, -2)).diagonal(dim1=-2, dim2=-1)
    return torch.where(valid, loss, 0.0).sum(-1) / valid.sum(-1).clamp(min=1)
