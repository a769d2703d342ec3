"""A linear read-out of the features beside any network.

Axes: B windows, T tokens, M modalities, F features, n rows.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from himoe.nn.encoder import absent_to_zero, owners
from himoe.nn.linear import Linear
from himoe.types import Batch, Output


class LinearReadout(nn.Module):
    """A linear regression of the targets on the present features, the ridge solution of the training rows.

    With few training subjects a network memorises subjects before it finds what they share; this is what generalises (measured:
    docs/explanation/tuning-ledger.md). Its form is that of wide-and-deep models (Cheng et al. 2016), its use here is ours.
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
    """A network and a linear read-out beside it, mixed: ``mix`` (2, n_outputs) holds the weights of the read-out and the
    network.

    In training the network is alone: its loss knows nothing of the read-out, which would explain the training rows before the
    network learns anything and leave it the noise (docs/explanation/tuning-ledger.md). The read-out stays the ridge solution;
    people that neither was fitted on decide how much of each is taken (:mod:`himoe.stats.mixture`). Until then it is the
    network's.
    """

    def __init__(self, network: nn.Module, n_features: tuple[int, ...], n_outputs: int, penalty: float):
        super().__init__()
        self.network, self.readout = network, LinearReadout(n_features, n_outputs, penalty)
        self.mix = nn.Parameter(torch.tensor([[0.0], [1.0]]).repeat(1, n_outputs))

    def forward(self, batch: Batch) -> Output:
        """The network's output in training, else the mixture; the read-out's own is the routing value ``readout``."""
        output = self.network(batch)
        if self.training:
            return output
        linear = self.readout(batch.x, batch.mask)  # (B, T, n_outputs)
        mixture = self.mix[0] * linear + self.mix[1] * output.prediction
        return output._replace(prediction=mixture, routing=output.routing | {"readout": linear})

    @torch.no_grad()
    def mixed(self, flat: Tensor, mix: Tensor) -> Tensor:
        """All parameters (P,) with the network's of ``flat`` (P,), this read-out and this mixture (2, n_outputs)."""
        kept = [p.clone() for p in self.readout.parameters()]
        nn.utils.vector_to_parameters(flat.clone(), self.parameters())
        for parameter, value in zip(self.readout.parameters(), kept, strict=True):
            parameter.copy_(value)
        self.mix.copy_(mix)
        return nn.utils.parameters_to_vector(self.parameters())
