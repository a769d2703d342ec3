"""A linear read-out beside any network.

Axes: B windows, T tokens, M modalities, F features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from himoe.nn.encoder import absent_to_zero, owners
from himoe.nn.linear import Linear
from himoe.types import Batch, Output

FIRST_SHARE = 0.01


class LinearReadout(nn.Module):
    """What a linear model of the present features would say; networks add to it.

    With few subjects a network memorises whom it saw before it finds what they share. Starting from the ridge solution on
    the training rows and adding to it keeps what generalises (measured: CHANGELOG). Wide-and-deep in form (Cheng et al.
    2016), ours in this use.
    """

    def __init__(self, n_features: tuple[int, ...], n_outputs: int, penalty: float):
        super().__init__()
        self.penalty = penalty
        self.register_buffer("owner", owners(n_features), persistent=False)
        self.linear = Linear(sum(n_features), n_outputs)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, T, F), mask (B, T, M) -> (B, T, n_outputs).

        A lost token counts as the mean of its window's present ones, a modality absent throughout as its training mean, 0:
        the mean over a window is what the linear model says of the mean of what is present.
        """
        x, present = absent_to_zero(x, mask, self.owner), mask[..., self.owner]
        mean = x.sum(1, keepdim=True) / present.sum(1, keepdim=True).clamp(min=1)
        return self.linear(torch.where(present, x, mean))

    @torch.no_grad()
    def warm_start(self, x: Tensor, y: Tensor) -> None:
        """Ridge on training rows x (n, F), y (n, n_outputs): W = (X'X + penalty I)^-1 X'Y about the means."""
        x, y = x.double(), y.double()
        mean_x, mean_y = x.mean(0), y.mean(0)
        gram = (x - mean_x).T @ (x - mean_x) + self.penalty * torch.eye(x.shape[1], dtype=x.dtype)
        weight = torch.linalg.solve(gram, (x - mean_x).T @ (y - mean_y))
        self.linear.weight.copy_(weight.T)
        self.linear.bias.copy_(mean_y - mean_x @ weight)


class WithReadout(nn.Module):
    """A network that adds to what the read-out says: at first next to nothing, so that training begins at ridge."""

    def __init__(self, network: nn.Module, n_features: tuple[int, ...], n_outputs: int, penalty: float):
        super().__init__()
        self.network, self.readout = network, LinearReadout(n_features, n_outputs, penalty)
        self.share = nn.Parameter(torch.full((n_outputs,), FIRST_SHARE))

    def forward(self, batch: Batch) -> Output:
        """As the network's own, with the read-out's part of the prediction as routing ``readout`` (B, T, n_outputs). Its other
        losses are scaled with its share, as the gradient of what it predicts is: else they alone would train it."""
        output, linear = self.network(batch), self.readout(batch.x, batch.mask)
        share = self.share.detach().abs().mean()
        losses = {name: share * value for name, value in output.losses.items()}
        return Output(linear + self.share * output.prediction, losses, output.routing | {"readout": linear})
