"""Networks for tests: which plug-ins are one, a small one of each, a batch for it, one training step's output."""

from __future__ import annotations

import numpy as np
import torch

from himoe import registry
from himoe.nn import noise
from himoe.nn.readout import WithReadout
from himoe.train.scaling import Scaler
from himoe.train.windows import Affine, Bank, Windows, read
from himoe.types import Batch, BuildContext, Tokens

TORCH = [m for m in registry.available("models") if "build" in registry.peek("models", m)["functions"]]


def batch_of(data: Tokens, n_times: int = 24) -> Batch:
    """All trials from their first token on, not scaled."""
    bank, trial, one = Bank(data), torch.arange(len(data.trials))[None], np.ones(data.x.shape[1])
    plain = Affine.of([Scaler(0 * one, one, np.zeros(2), np.ones(2))])
    return Batch(*(part[0] for part in read(bank, plain, Windows(trial, 0 * trial), n_times)))


def build(name, layout, n_times=24):
    """A small network; ``NAME+readout`` with a linear read-out beside it."""
    plugin = registry.load("models", name.partition("+")[0])
    model = plugin.build(BuildContext(layout, n_times), plugin.Config(width=16))
    return WithReadout(model, tuple(map(len, layout.features)), 2, 1.0) if "+" in name else model


def train_on(model, batch):
    """Output of the model in training, with its noise fixed."""
    with noise.keyed(torch.tensor(0)):
        return model.train()(batch)
