"""nn.Linear that follows autocast (mixed precision) under vmap as well."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Linear(nn.Linear):
    """As nn.Linear. Under vmap, torch 2.13 applies autocast to a linear layer without a bias, but not to one with a bias: the
    bias is therefore added apart."""

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in) -> (..., out)."""
        if self.bias is None or not torch.is_autocast_enabled(x.device.type):
            return super().forward(x)
        out = F.linear(x, self.weight)
        return out + self.bias.to(out.dtype)
