"""A layout of three modalities and windows of noise, for tests of networks for incomplete inputs."""

from __future__ import annotations

import torch

from himoe.types import Batch, Layout

LAYOUT = Layout(("a", "b", "c"), (("a0", "a1", "a2"), ("b0", "b1"), ("c0",)), ("valence", "arousal"), 2.0, False)


def mask_of(*present: bool, shape: tuple[int, int] = (2, 8)) -> torch.Tensor:
    """Presence (*shape, 3), the same at every step."""
    return torch.tensor(present).expand(*shape, 3).clone()


def batch_of(mask: torch.Tensor) -> Batch:
    """Windows of noise with this presence (B, T, 3)."""
    torch.manual_seed(1)
    b, t = mask.shape[:2]
    time, y = torch.arange(t).expand(b, t) / 2, torch.randn(b, t, 2)
    return Batch(torch.randn(b, t, 6), mask, time, torch.ones(b, t, dtype=torch.bool), torch.arange(b), y)
