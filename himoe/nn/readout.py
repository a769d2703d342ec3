"""A linear read-out of the features beside any network.

Axes: B windows, T tokens, M modalities, F features, n rows.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from himoe.nn.encoder import absent_to_zero, owners
from himoe.nn.linear import Linear
from himoe.types import Batch, Output

INITIAL_SHARE = 0.01  # of the network in the prediction: training begins at the ridge solution


class LinearReadout(nn.Module):
    """A linear regression of the targets on the present features, to which a network's prediction is added.

    With few training subjects a network memorises subjects before it finds what they share. Starting from the ridge solution of
    the training rows and adding to it keeps what generalises (measured: CHANGELOG). Its form is that of wide-and-deep models
    (Cheng et al. 2016), its use here is ours.
    """

    owner: Tensor

    def __init__(self, n_features: tuple[int, ...], n_outputs: int, penalty: float):
        super().__init__()
        self.penalty = penalty
        # not persistent: follows from the layout, and stacked models keep parameters only
        self.register_buffer("owner", owners(n_features), persistent=False)
        self.linear = Linear(sum(n_features), n_outputs)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, T, F), mask (B, T, M) -> (B, T, n_outputs).

        A lost token is imputed by the mean of its window's present ones, a modality absent throughout by its training mean, 0:
        so the mean prediction of a window is the prediction for the mean of its present features.
        """
        x = absent_to_zero(x, mask, self.owner)  # (B, T, F)
        present = mask[..., self.owner]  # (B, T, F)
        mean = x.sum(1, keepdim=True) / present.sum(1, keepdim=True).clamp(min=1)  # (B, 1, F)
        return self.linear(torch.where(present, x, mean))

    @torch.no_grad()
    def warm_start(self, x: Tensor, y: Tensor) -> None:
        """Ridge solution on training rows x (n, F), y (n, n_outputs): W = (X'X + penalty I)^-1 X'Y of centred X and Y."""
        x, y = x.double(), y.double()
        mean_x, mean_y = x.mean(0), y.mean(0)  # (F,), (n_outputs,)
        gram = (x - mean_x).T @ (x - mean_x) + self.penalty * torch.eye(x.shape[1], dtype=x.dtype)  # (F, F)
        weight = torch.linalg.solve(gram, (x - mean_x).T @ (y - mean_y))  # (F, n_outputs)
        self.linear.weight.copy_(weight.T)
        self.linear.bias.copy_(mean_y - mean_x @ weight)


class WithReadout(nn.Module):
    """prediction = linear read-out + share * network's prediction, with a learnt share per target that begins near 0."""

    def __init__(self, network: nn.Module, n_features: tuple[int, ...], n_outputs: int, penalty: float):
        super().__init__()
        self.network, self.readout = network, LinearReadout(n_features, n_outputs, penalty)
        self.share = nn.Parameter(torch.full((n_outputs,), INITIAL_SHARE))

    def forward(self, batch: Batch) -> Output:
        """The sum of both; the read-out's part is the routing value ``readout`` (B, T, n_outputs).

        The network's auxiliary losses are scaled by the share as well: the gradient of its prediction is, and without it they
        alone would train the network at first.
        """
        output, linear = self.network(batch), self.readout(batch.x, batch.mask)  # linear (B, T, n_outputs)
        share = self.share.detach().abs().mean()  # ()
        losses = {name: share * value for name, value in output.losses.items()}
        return Output(linear + self.share * output.prediction, losses, output.routing | {"readout": linear})
