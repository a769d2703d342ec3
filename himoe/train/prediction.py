"""Predictions of every token of a bank, from segments that cover its trials.

Axes: K folds side by side, B windows of each, T tokens, N tokens of the bank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from himoe.train.repeated import Repeated
from himoe.train.windows import Affine, Bank, Windows, read

if TYPE_CHECKING:
    from himoe.train.stack import Stack

PREDICT_BATCH = 64  # segments


class Predicted(NamedTuple):
    """tokens (K, N, n_outputs): 0 where a fold has no segment; routing: name -> (K, n_trials, ...), the mean over a trial's
    valid steps, or over its segments."""

    tokens: Tensor
    routing: dict[str, Tensor]


class Prediction:
    """Predictions of every fold on its own segments, averaged where they overlap; with ``routing`` what routed them.

    :meth:`run` gives them, as often as weights change. ``captured``: without routing alone.
    """

    def __init__(
        self, stack: Stack, bank: Bank, affine: Affine, windows: Windows, n_times: int, routing: bool = False,
        captured: bool = False,
    ):  # fmt: skip
        self.stack, self.bank, self.affine, self.n_times, self.routing = stack, bank, affine, n_times, routing
        n_segments = windows.trial.shape[1]
        width = -(-n_segments // -(-n_segments // max(PREDICT_BATCH // stack.n_begun, 1)))  # chunks of about equal size
        padded = (F.pad(part, (0, -part.shape[1] % width), value=-1) for part in windows)
        chunks = (part.unflatten(1, (-1, width)).transpose(0, 1).contiguous() for part in padded)
        self.trial, self.start = chunks  # (n_chunks, K, width)
        n_folds, device = len(stack), bank.device
        self.place = torch.zeros(1, dtype=torch.int64, device=device)
        self.total = torch.zeros(n_folds * len(bank.x), bank.y.shape[1], device=device)
        self.count = torch.zeros(n_folds * len(bank.x), 1, device=device)
        self.weight = torch.zeros(n_folds * len(bank.lengths), device=device)
        self.sums: dict[str, Tensor] = {}
        self.written = [self.place, self.total, self.count, self.weight]
        self.repeat = Repeated(self.written, captured and not routing)

    @torch.no_grad()
    def run(self) -> Predicted:
        """By the stack's weights as they are now."""
        self.sums = {}
        for tensor in self.written:
            tensor.zero_()
        for _ in range(len(self.trial)):
            self.repeat(self.add_chunk)
        of_fold = (len(self.stack), -1)
        weight = self.weight.clamp(min=1)
        means = {n: (s / weight.view(-1, *[1] * (s.dim() - 1))).unflatten(0, of_fold) for n, s in self.sums.items()}
        return Predicted((self.total / self.count.clamp(min=1)).unflatten(0, of_fold), means)

    @torch.no_grad()
    def add_chunk(self) -> None:
        """The next segments, in tensors that stay where they are."""
        bank, n_folds, n_tokens, n_trials = self.bank, len(self.stack), len(self.bank.x), len(self.bank.lengths)
        chunk = Windows(*(part.index_select(0, self.place).squeeze(0) for part in (self.trial, self.start)))
        fold = torch.arange(n_folds, device=bank.device)[:, None]
        batch = read(bank, self.affine, chunk, self.n_times)
        output = self.stack.predict(batch._replace(y=None))
        first = bank.offsets[chunk.trial.clamp(min=0)] + chunk.start.clamp(min=0)
        index = (first.unsqueeze(-1) + torch.arange(self.n_times, device=bank.device)).clamp(max=n_tokens - 1)
        index = (index + n_tokens * fold.unsqueeze(-1)).flatten()
        valid = batch.valid.flatten().unsqueeze(-1)
        self.total.index_add_(0, index, torch.where(valid, output.prediction.flatten(0, 2), 0.0))
        self.count.index_add_(0, index, valid.float())
        self.place.add_(1)
        if self.routing:
            trial = (chunk.trial.clamp(min=0) + n_trials * fold).flatten()
            n_valid = batch.valid.sum(2).float().flatten()
            self.weight.index_add_(0, trial, n_valid)
            for name, value in output.routing.items():
                value = _weighted(value, batch.valid, n_valid)
                zeros = torch.zeros(len(self.weight), *value.shape[1:], device=bank.device)
                self.sums.setdefault(name, zeros).index_add_(0, trial, value)


def predict_tokens(
    stack: Stack, bank: Bank, affine: Affine, windows: Windows, n_times: int, routing: bool = False
) -> Predicted:  # fmt: skip
    """What :class:`Prediction` gives, once."""
    return Prediction(stack, bank, affine, windows, n_times, routing).run()


def _weighted(value: Tensor, valid: Tensor, n_valid: Tensor) -> Tensor:
    """Sum over valid steps of (K, B, T, n, ...); (K, B, n) or (K,) counts once for each valid step. Returns (K*B, ...)."""
    if value.dim() >= 4:
        steps = valid.view(*valid.shape, *[1] * (value.dim() - 3))
        return torch.where(steps, value, 0.0).sum(2).flatten(0, 1)
    if value.dim() == 1:
        return value.repeat_interleave(valid.shape[1]) * n_valid
    return torch.where(n_valid.unsqueeze(-1) > 0, value.flatten(0, 1) * n_valid.unsqueeze(-1), 0.0)


def mean_per_trial(values: Tensor, bank: Bank) -> Tensor:
    """(K, N, n) -> (K, n_trials, n)."""
    lengths = bank.offsets.diff()
    trial = torch.repeat_interleave(torch.arange(len(lengths), device=bank.device), lengths, output_size=len(bank.x))
    sums = torch.zeros(len(values), len(lengths), values.shape[2], device=bank.device).index_add_(1, trial, values)
    return sums / lengths.unsqueeze(-1)
