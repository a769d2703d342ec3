"""nn.Linear for models that are trained side by side."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Linear(nn.Linear):
    """As nn.Linear. ``apart``: the bias is added by an operation of its own, as torch would not do under vmap: there it
    multiplies the bias by 1 first, and does not apply autocast (mixed precision) to a layer that has one."""

    apart = False

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in) -> (..., out)."""
        if self.bias is None or not self.apart:
            return super().forward(x)
        out = F.linear(x, self.weight)
        return out + self.bias.to(out.dtype)
