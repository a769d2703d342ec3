"""Transformer blocks side by side, each with a source of its own: what crossmodal models are made of.

Axes: n blocks side by side, B windows, T tokens that ask, U that are asked, d width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.nn.attention import attend
from himoe.nn.noise import dropout


def normed(x: Tensor) -> Tensor:
    """Layer normalisation of x (..., d) without weights."""
    return F.layer_norm(x, x.shape[-1:])


class AttentionBlocks(nn.Module):
    """n pre-LN transformer blocks side by side, each with its own weights and its own source of keys and values.

    Keys and values have no bias: the softmax would not see the one, ``out`` has the other.
    """

    def __init__(self, n: int, d: int, n_heads: int, hidden: int, dropout: float):
        super().__init__()
        self.n_heads, self.dropout = n_heads, dropout
        shapes = {"query": (d, d), "key": (d, d), "value": (d, d), "out": (d, d), "up": (d, hidden), "down": (hidden, d)}
        self.weight = nn.ParameterDict({k: nn.Parameter(torch.randn(n, *s) / s[0] ** 0.5) for k, s in shapes.items()})
        biased = ("query", "out", "up", "down")
        self.bias = nn.ParameterDict({k: nn.Parameter(torch.zeros(n, 1, 1, shapes[k][1])) for k in biased})

    def linear(self, name: str, x: Tensor) -> Tensor:
        """x (n or 1, B, T, i) -> (n, B, T, o)."""
        y = torch.einsum("nbti,nio->nbto", x, self.weight[name])
        return y + self.bias[name] if name in self.bias else y

    def attention(self, z: Tensor, source: Tensor, seen: Tensor) -> Tensor:
        """What normalised z (n, B, T, d) hears of a normalised source (n or 1, B, U, d) where seen (n or 1, B, T or 1, U)."""
        told = (self.linear("query", z), self.linear("key", source), self.linear("value", source))
        q, k, v = (x.unflatten(-1, (self.n_heads, -1)).transpose(2, 3) for x in told)
        return self.linear("out", attend(q, k, v, seen.unsqueeze(2)).transpose(2, 3).flatten(3))

    def forward(self, z: Tensor, source: Tensor, seen: Tensor) -> Tensor:
        """z (n, B, T, d) and a normalised source (n or 1, B, U, d) -> (n, B, T, d)."""
        z = z + dropout(self.attention(normed(z), source, seen), self.dropout, self.training)
        feed = self.linear("down", F.gelu(self.linear("up", normed(z))))
        return z + dropout(feed, self.dropout, self.training)
