"""One training step of a stack: the batch, its gradients, AdamW. All it reads and writes are tensors that stay where they are.

Axes: K folds in the stack, B windows of each, P parameters of one model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from himoe.nn.losses import concordance_loss, masked_mean, squared_error
from himoe.nn.noise import fold_in
from himoe.train.repeated import Repeated
from himoe.train.windows import Windows, training_batch

if TYPE_CHECKING:
    from himoe.config.sections import Training
    from himoe.train.runs import LoopState
    from himoe.train.stack import Adam, Objective, Stack
    from himoe.train.windows import Affine, Bank
    from himoe.types import Batch, Output

INPUT, MODEL = 1, 2  # streams of noise
WARM_UP = 0.05  # share of all steps


class Schedule(NamedTuple):
    """What the steps of an epoch read, one row each: windows, trial and start (n_steps, K, B), keys of their losses and of the
    model's noise (n_steps, K), learning rates (n_steps, K) and which folds have a step to take (n_steps, K)."""

    trial: Tensor
    start: Tensor
    input_keys: Tensor
    model_keys: Tensor
    rate: Tensor
    active: Tensor

    @staticmethod
    def of(windows: Windows, width: int, keys: Tensor, rate: Tensor, active: Tensor) -> Schedule:
        """Of an epoch's windows (K, n_steps * width) and keys (K,): noise is a function of the key, the step (from 1) and its
        stream."""
        trial, start = (part.unflatten(1, (-1, width)).transpose(0, 1).contiguous() for part in windows)
        number = torch.arange(1, len(rate) + 1, device=keys.device).unsqueeze(1)
        of_step = fold_in(keys, number)  # (n_steps, K)
        return Schedule(trial, start, fold_in(of_step, INPUT), fold_in(of_step, MODEL), rate, active)


@dataclass
class TrainingStep:
    """The next step of the schedule, for every fold at once: :meth:`begin` an epoch, then :meth:`take` its steps.

    It works on ``stack.flat``, the moments of ``adam``, ``state.total`` and ``state.diverged`` in place.
    """

    bank: Bank
    stack: Stack
    adam: Adam
    state: LoopState
    affine: Affine
    objective: Objective
    training: Training
    n_times: int
    captured: bool = False
    schedule: Schedule | None = None  # of the epoch that was begun

    def __post_init__(self) -> None:
        self.place = torch.zeros(1, dtype=torch.int64, device=self.bank.device)
        written = [self.stack.flat, *self.adam.tensors(), self.state.total, self.state.diverged, self.place]
        self.repeat = Repeated(written, self.captured)

    def begin(self, schedule: Schedule, place: int) -> None:
        """Of an epoch with this schedule, the step at ``place`` comes next."""
        self.schedule = self.schedule or schedule
        for mine, new in zip(self.schedule, schedule, strict=True):
            assert mine.shape == new.shape, "an epoch has other steps than the one before"
            mine.copy_(new)
        self.place.fill_(place)

    def take(self) -> None:
        """The next step, and on to the one after it."""
        self.repeat(self._take)

    def _take(self) -> None:
        """A fold whose loss, gradient or new weights are not finite stays as it is, and counts as diverged."""
        assert self.schedule, "no epoch was begun"
        now = Schedule(*(part.index_select(0, self.place).squeeze(0) for part in self.schedule))
        windows = Windows(now.trial, now.start)
        batch = training_batch(self.bank, self.affine, windows, self.n_times, self.training, now.input_keys)
        losses, gradient = self.stack.gradients(batch, now.model_keys, self.objective)  # (K,), (K, P)
        active = now.active & ~self.state.diverged
        updated = self.adam.step(self.stack, gradient, now.rate, active & (losses.abs() < torch.inf))
        self.state.total.add_(torch.where(updated, losses, 0.0))
        self.state.diverged.logical_or_(active & ~updated)
        self.place.add_(1)


def objective(per_token: bool, ccc_weight: float) -> Objective:
    """Squared error plus ``ccc_weight`` (1 - CCC over the batch), of tokens or of masked means over each window, plus the
    model's own losses."""

    def loss(output: Output, batch: Batch) -> Tensor:
        prediction, y = output.prediction.float(), batch.y  # (B, T, n_outputs)
        if per_token:
            prediction, y = prediction.flatten(0, 1), y.flatten(0, 1)  # y is NaN where not valid
        else:
            prediction, y = masked_mean(prediction, batch.valid, 1), y[:, 0]
        own = (squared_error(prediction, y), ccc_weight * concordance_loss(prediction, y))
        return torch.stack([*own, *output.losses.values()]).sum()

    return loss


def warm_up_and_cosine(share: float) -> float:
    """Factor of the learning rate after a share of all steps: linear warm-up, then half a cosine to 0 (Loshchilov & Hutter
    2017, without restarts)."""
    if share < WARM_UP:
        return max(share, 1e-3) / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
