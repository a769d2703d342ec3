"""nn.Linear whose product takes part in mixed precision when models are stacked too."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Linear(nn.Linear):
    """As nn.Linear. Under vmap torch (2.13) leaves a linear layer with a bias out of autocast; without one it does not."""

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in) -> (..., out)."""
        if self.bias is None or not torch.is_autocast_enabled(x.device.type):
            return super().forward(x)
        out = F.linear(x, self.weight)
        return out + self.bias.to(out.dtype)
