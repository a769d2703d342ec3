"""Training-time incompleteness and asynchrony, equal for every torch model. All randomness comes from the generator."""

from __future__ import annotations

import torch
from torch import Tensor


def gather_windows(x: Tensor, mask: Tensor, index: Tensor, valid: Tensor, n_features: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Windows in which each modality has its own clock.

    x (N, F), mask (N, M), index and valid (B, T, M) -> x (B, T, F), mask (B, T, M).
    """
    parts, start = [], 0
    for m, n in enumerate(n_features):
        parts.append(x[index[..., m], start : start + n])
        start += n
    present = mask.gather(0, index.flatten(0, 1)).unflatten(0, index.shape[:2]) & valid
    return torch.cat(parts, dim=-1), present


def draw_shifts(n_windows: int, n_modalities: int, chance: float, largest: int, generator: torch.Generator) -> Tensor:
    """Whole-token shifts (B, M): each modality is moved with this chance, uniformly within +-largest."""
    moved = torch.rand(n_windows, n_modalities, generator=generator) < chance
    return torch.randint(-largest, largest + 1, moved.shape, generator=generator) * moved


def drop_tokens(
    mask: Tensor, modality: float, token: float, gap: float, gap_tokens: float, generator: torch.Generator
) -> Tensor:
    """mask (B, T, M) after absent modalities, outages of exponential length, and tokens lost at a rate up to ``token``."""
    batch, n_times, n_modalities = mask.shape

    def rand(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    keep = rand(batch, 1, n_modalities) >= modality
    keep = keep & (rand(batch, n_times, n_modalities) >= token * rand(batch, 1, 1))
    first = rand(batch, 1, n_modalities) * n_times
    last = first - gap_tokens * torch.log(rand(batch, 1, n_modalities).clamp(min=1e-6))
    at = torch.arange(n_times)[None, :, None]
    outage = (rand(batch, 1, n_modalities) < gap) & (at >= first) & (at < last)
    return mask & keep & ~outage
