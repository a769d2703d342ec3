"""Cross-attention transformer blocks in parallel, as crossmodal transformers are made of: one block per target and source.

Axes: P parallel blocks, B windows, T tokens that query, U tokens of the source, H heads, w = d / H width of a head, d width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.nn.attention import attend, hidden
from himoe.nn.noise import dropout


def normed(x: Tensor) -> Tensor:
    """Layer normalisation of x (..., d) without learnt scale and offset."""
    return F.layer_norm(x, x.shape[-1:])


class AttentionBlocks(nn.Module):
    """P pre-LN transformer blocks in one batched product, each with its own weights and its own source of keys and values.

    Keys and values have no bias: a softmax is invariant to the first, and ``out`` has the second.
    """

    def __init__(self, n: int, d: int, n_heads: int, hidden: int, dropout: float):
        super().__init__()
        self.n_heads, self.dropout = n_heads, dropout
        shapes = {"query": (d, d), "key": (d, d), "value": (d, d), "out": (d, d), "up": (d, hidden), "down": (hidden, d)}
        self.weight = nn.ParameterDict({k: nn.Parameter(torch.randn(n, *s) / s[0] ** 0.5) for k, s in shapes.items()})
        biased = ("query", "out", "up", "down")
        self.bias = nn.ParameterDict({k: nn.Parameter(torch.zeros(n, 1, 1, shapes[k][1])) for k in biased})

    def linear(self, name: str, x: Tensor) -> Tensor:
        """The linear layer ``name`` of every block: x (P or 1, B, T, i) -> (P, B, T, o)."""
        y = torch.einsum("nbti,nio->nbto", x, self.weight[name])
        return y + self.bias[name] if name in self.bias else y

    def attention(self, z: Tensor, source: Tensor, seen: Tensor) -> Tensor:
        """Queries of normalised z (P, B, T, d), keys and values of a normalised source (P or 1, B, U, d), visible where
        seen (P or 1, B, T or 1, U) -> (P, B, T, d)."""
        projected = (self.linear("query", z), self.linear("key", source), self.linear("value", source))
        q, k, v = (x.unflatten(-1, (self.n_heads, -1)).transpose(2, 3) for x in projected)  # (P, B, H, T or U, w)
        a = attend(q, k, v, hidden(seen.unsqueeze(2)))  # (P, B, H, T, w)
        return self.linear("out", a.transpose(2, 3).flatten(3))

    def forward(self, z: Tensor, source: Tensor, seen: Tensor) -> Tensor:
        """z (P, B, T, d), a normalised source (P or 1, B, U, d), seen (P or 1, B, T or 1, U) -> (P, B, T, d)."""
        z = z + dropout(self.attention(normed(z), source, seen), self.dropout, self.training)
        feed = self.linear("down", F.gelu(self.linear("up", normed(z))))
        return z + dropout(feed, self.dropout, self.training)
