"""Per-modality encoders, time encoding and the temporal backbone.

Axes: B windows, T tokens, M modalities, F features, d width, H heads, w = d / H width of a head.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.nn.attention import attend, hidden
from himoe.nn.linear import Linear
from himoe.nn.noise import dropout


def owners(n_features: tuple[int, ...]) -> Tensor:
    """Modality that each feature belongs to, (F,) int64: ``mask[..., owners]`` is the presence of every feature."""
    return torch.repeat_interleave(torch.arange(len(n_features)), torch.tensor(n_features))


def absent_to_zero(x: Tensor, mask: Tensor, owner: Tensor) -> Tensor:
    """x (..., F) with every feature of an absent modality, mask (..., M), replaced by 0. Not multiplied: it may hold NaN."""
    return torch.where(mask[..., owner], x, 0.0)


def time_encoding(time: Tensor, d: int) -> Tensor:
    """Sines and cosines (B, T, d) of real timestamps in s, periods from 1 s to 200 s (Vaswani et al. 2017, 3.5)."""
    periods = torch.logspace(0, math.log10(200), d // 2, device=time.device)
    angle = 2 * math.pi * time.unsqueeze(-1) / periods
    return torch.cat([angle.sin(), angle.cos()], dim=-1)


class ModalityEncoder(nn.Module):
    """Linear projection to d, then residual depthwise-separable convolutions over time, with separate weights per modality.

    The projection has no LayerNorm, which would leave little but the direction of a modality's few features (measured:
    CHANGELOG). All modalities go through one grouped convolution per layer, so the number of operations does not grow with
    theirs. ``causal``: the kernel reaches into the past only.
    """

    owner: Tensor

    def __init__(
        self,
        n_features: tuple[int, ...],
        d: int,
        n_blocks: int = 2,
        kernel: int = 5,
        dropout: float = 0.1,
        causal: bool = False,
    ):
        super().__init__()
        n_modalities = len(n_features)
        self.n_features, self.d, self.dropout = n_features, d, dropout
        self.padding = kernel - 1 if causal else kernel // 2  # zeros on either side; what they add at the end is left out
        # not persistent: follows from the layout, and stacked models keep parameters only
        self.register_buffer("owner", owners(n_features), persistent=False)
        self.project = nn.ModuleList(Linear(n, d) for n in n_features)
        self.embedding = nn.Parameter(0.02 * torch.randn(n_modalities, d))
        self.depthwise = nn.ParameterList(
            nn.Parameter(torch.randn(n_modalities * d, 1, kernel) / kernel**0.5) for _ in range(n_blocks)
        )
        self.pointwise = nn.ParameterList(nn.Parameter(torch.randn(n_modalities, d, d) / d**0.5) for _ in range(n_blocks))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, T, F), mask (B, T, M) -> h (B, T, M, d), exactly 0 where absent.

        No time encoding is added here: shared by all modalities, it would correlate perfectly at lag 0.
        """
        parts = absent_to_zero(x, mask, self.owner).split(self.n_features, -1)  # of each modality (B, T, n_features)
        present = mask.unsqueeze(-1).to(x.dtype)  # (B, T, M, 1)
        own = [layer for layer in self.project if isinstance(layer, Linear)]  # all are
        projected = [F.linear(part, layer.weight) for layer, part in zip(own, parts, strict=True)]
        offset = torch.stack([layer.bias for layer in own]) + self.embedding  # (M, d): all biases in one operation
        h = (torch.stack(projected, dim=2) + offset) * present  # (B, T, M, d)
        for depthwise, pointwise in zip(self.depthwise, self.pointwise, strict=True):
            # two-dimensional over (1, T): channels stay last in memory, which on a CPU is a sixth of the time of conv1d
            c = h.flatten(2).transpose(1, 2).unsqueeze(2)  # (B, M*d, 1, T)
            c = F.conv2d(c, depthwise.unsqueeze(2), padding=(0, self.padding), groups=c.shape[1])[..., : h.shape[1]]
            c = F.gelu(c).squeeze(2).transpose(1, 2).unflatten(2, (-1, self.d))  # (B, T, M, d)
            c = torch.einsum("btmd,mde->btme", c, pointwise)
            h = (h + dropout(c, self.dropout, self.training)) * present
        return h


def unseen_steps(valid: Tensor, causal: bool = False) -> Tensor:
    """What self-attention over time adds to its scores, (B, 1, T, T): padding, valid (B, T), is never attended to. ``causal``:
    no step sees a later one."""
    # every step sees itself, padding too: else a window of padding alone would have no key
    seen = valid[:, None, None, :] | torch.eye(valid.shape[1], dtype=torch.bool, device=valid.device)
    if causal:
        seen = seen & torch.ones_like(seen[0, 0]).tril()
    return hidden(seen)


class TransformerBlock(nn.Module):
    """Pre-LN self-attention over time and a feed-forward layer (Xiong et al. 2020)."""

    def __init__(self, d: int, n_heads: int, n_hidden: int, dropout: float = 0.1):
        super().__init__()
        self.n_heads, self.dropout = n_heads, dropout
        self.norm_attention, self.norm_feed = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = Linear(d, 3 * d), Linear(d, d)
        self.up, self.down = Linear(d, n_hidden), Linear(n_hidden, d)

    def forward(self, z: Tensor, unseen: Tensor) -> Tensor:
        """z (B, T, d), unseen (B, 1, T, T) of :func:`unseen_steps` -> (B, T, d)."""
        qkv = self.qkv(self.norm_attention(z)).chunk(3, -1)
        q, k, v = (x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for x in qkv)  # (B, H, T, w)
        a = attend(q, k, v, unseen)  # (B, H, T, w)
        z = z + dropout(self.out(a.transpose(1, 2).flatten(2)), self.dropout, self.training)
        feed = self.down(F.gelu(self.up(self.norm_feed(z))))
        return z + dropout(feed, self.dropout, self.training)


class TemporalBackbone(nn.Module):
    """Transformer over the steps of a window, positions being real timestamps."""

    def __init__(self, n_blocks: int, d: int, n_heads: int, n_hidden: int, dropout: float, causal: bool = False):
        super().__init__()
        self.causal = causal
        self.blocks = nn.ModuleList(TransformerBlock(d, n_heads, n_hidden, dropout) for _ in range(n_blocks))

    def forward(self, z: Tensor, time: Tensor, valid: Tensor) -> Tensor:
        """z (B, T, d), time (B, T) s, valid (B, T) -> (B, T, d)."""
        z = z + time_encoding(time, z.shape[-1])
        unseen = unseen_steps(valid, self.causal)
        for block in self.blocks:
            z = block(z, unseen)
        return z


class Heads(nn.Module):
    """A two-layer MLP per target, applied at every step."""

    def __init__(self, d: int, n_outputs: int):
        super().__init__()
        self.norm = nn.LayerNorm(d)
        self.up, self.down = Linear(d, d * n_outputs), nn.Parameter(torch.randn(n_outputs, d) / d**0.5)
        self.bias = nn.Parameter(torch.zeros(n_outputs))

    def forward(self, z: Tensor) -> Tensor:
        """z (B, T, d) -> (B, T, n_outputs)."""
        hidden = F.gelu(self.up(self.norm(z))).unflatten(-1, (len(self.bias), -1))  # (B, T, n_outputs, d)
        return (hidden * self.down).sum(-1) + self.bias
