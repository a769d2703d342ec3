"""Augmentation by missing data and time shifts, the same for every network. All randomness comes from keys (himoe.nn.noise).

Axes: K models trained together, B windows of each, T tokens, M modalities.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from himoe.nn.noise import uniform


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


class Losses(NamedTuple):
    """Chances of simulated losses: of a modality to be absent throughout, of a single token (its rate is drawn per window from
    [0, ``token``]) and of an outage, of exponential length with mean ``gap_tokens``; of a modality to be shifted, uniformly
    within ``largest`` tokens either way."""

    modality: float
    token: float
    gap: float
    gap_tokens: float
    shift: float
    largest: int


class Drawn(NamedTuple):
    """What is lost and shifted of B windows of each of K models: keep (K, B, T, M), whole-token shifts (K, B, M)."""

    keep: Tensor
    shift: Tensor


def draw_losses(keys: Tensor, n_windows: int, n_times: int, n_modalities: int, losses: Losses) -> Drawn:
    """Losses and shifts for keys (K,), all from one draw of uniform numbers."""
    sizes = (n_modalities,) * 6 + (1, n_times * n_modalities)
    drawn = uniform(keys, n_windows, sum(sizes)).split(sizes, -1)
    absent, moved, to, gap, first, length, rate = (part.unsqueeze(2) for part in drawn[:-1])  # (K, B, 1, M), rate (K, B, 1, 1)
    lost = drawn[-1].unflatten(-1, (n_times, n_modalities))  # (K, B, T, M)
    n_places = 2 * losses.largest + 1
    shift = ((to * n_places).long() - losses.largest) * (moved < losses.shift)
    begin = first * n_times  # tokens
    end = begin - losses.gap_tokens * torch.log(length.clamp(min=1e-6))
    at = torch.arange(n_times, device=keys.device)[:, None]  # (T, 1)
    outage = (gap < losses.gap) & (at >= begin) & (at < end)
    keep = (absent >= losses.modality) & (lost >= losses.token * rate) & ~outage
    return Drawn(keep, shift.squeeze(2))
