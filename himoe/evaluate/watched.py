"""What a network does inside, seen from outside: its layers and its weights stay as they are, and no fit knows of it.

Axes: B windows, T tokens, S parts that a step is fused from (modalities and the null token), d width.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from himoe.evaluate.outages import SHARE
from himoe.nn.encoder import Heads
from himoe.types import Batch, Output


class Watched(nn.Module):
    """A network whose routing holds ``representation`` (B, T, d) too: what its heads read of every step. One that has no heads
    is as it was."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network, self.seen = network, list[Tensor]()
        for module in network.modules():
            if isinstance(module, Heads):
                module.register_forward_pre_hook(self._look)

    def forward(self, batch: Batch) -> Output:
        """The network's output, and what its heads read."""
        self.seen.clear()
        output = self.network(batch)
        return output._replace(routing=output.routing | {"representation": self.seen[-1]}) if self.seen else output

    def _look(self, heads: nn.Module, inputs: tuple[Any, ...]) -> None:
        self.seen.append(inputs[0])


class Sharing(nn.Module):
    """A network that says of every step the share of each modality and of the null token (B, T, S), in the place of a
    prediction: so they are averaged over windows as predictions are."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> Output:
        """Shares as predictions."""
        return Output(self.network(batch).routing[SHARE], {}, {})
