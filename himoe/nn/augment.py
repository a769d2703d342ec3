"""Augmentation by missing data and time shifts, the same for every network. All randomness comes from keys (himoe.nn.noise).

Axes: K models trained together, B windows of each, T tokens, M modalities.
"""

from __future__ import annotations

import torch
from torch import Tensor

from himoe.nn.noise import fold_in, integers, uniform


def gather_windows(x: Tensor, mask: Tensor, index: Tensor, valid: Tensor, n_features: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Windows read from a row of tokens, each modality at its own times.

    x (N, F), mask (N, M); index (B, T, M) of the token that a step of a modality is read from, valid (B, T, M): whether there
    is one -> x (B, T, F), mask (B, T, M).
    """
    parts, start = [], 0
    for m, n in enumerate(n_features):
        parts.append(x[index[..., m], start : start + n])
        start += n
    present = mask.gather(0, index.flatten(0, 1)).unflatten(0, index.shape[:2]) & valid
    return torch.cat(parts, dim=-1), present


def draw_shifts(keys: Tensor, n_windows: int, n_modalities: int, chance: float, largest: int) -> Tensor:
    """Whole-token shifts (K, B, M) for keys (K,): each modality is shifted with probability
    ``chance``, uniformly within +-largest."""
    moved = uniform(fold_in(keys, 1), n_windows, n_modalities) < chance
    return integers(fold_in(keys, 2), -largest, largest, n_windows, n_modalities) * moved


def drop_tokens(mask: Tensor, modality: float, token: float, gap: float, gap_tokens: float, keys: Tensor) -> Tensor:
    """mask (K, B, T, M) with simulated losses, for keys (K,).

    A modality is absent throughout with probability ``modality`` and has an outage, of exponential length with mean
    ``gap_tokens``, with probability ``gap``; single tokens are lost at a rate drawn per window from [0, ``token``].
    """
    _, batch, n_times, n_modalities = mask.shape

    def rand(number: int, *shape: int) -> Tensor:
        return uniform(fold_in(keys, number), *shape)

    keep = rand(1, batch, 1, n_modalities) >= modality
    keep = keep & (rand(2, batch, n_times, n_modalities) >= token * rand(3, batch, 1, 1))
    first = rand(4, batch, 1, n_modalities) * n_times  # (K, B, 1, M), tokens
    last = first - gap_tokens * torch.log(rand(5, batch, 1, n_modalities).clamp(min=1e-6))
    at = torch.arange(n_times, device=mask.device)[:, None]  # (T, 1)
    outage = (rand(6, batch, 1, n_modalities) < gap) & (at >= first) & (at < last)
    return mask & keep & ~outage
