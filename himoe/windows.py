"""Tokens as tensors and windows on them: training crops, prediction segments. No loader, no copies per epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from himoe.nn.augment import draw_shifts, drop_tokens, gather_windows
from himoe.types import Batch, Output, Tokens

if TYPE_CHECKING:
    from himoe.settings import Training

PREDICT_BATCH = 64


class TokenTensors:
    """One part of a fold on the device of the model, scaled: x (N, F), mask (N, M), time (N,), y (N, n_outputs)."""

    def __init__(self, tokens: Tokens):
        self.layout = tokens.layout
        self.x, self.mask, self.time, self.y = (torch.from_numpy(a) for a in (tokens.x, tokens.mask, tokens.time, tokens.y))
        self.offsets = torch.from_numpy(tokens.offsets)
        self.n_features = tuple(len(names) for names in tokens.layout.features)

    def batch(self, trial: Tensor, start: Tensor, n_times: int, shift: Tensor | None = None) -> Batch:
        """Windows (B,) of ``n_times`` tokens that begin at ``start`` within their trial; padding is not valid and absent.

        ``shift`` (B, M) delays each modality by whole tokens: it takes its data from earlier in the same trial.
        """
        first, last = self.offsets[trial], self.offsets[trial + 1]
        index = (first + start)[:, None] + torch.arange(n_times)  # (B, T)
        valid = index < last[:, None]
        at = index.unsqueeze(-1) - (0 if shift is None else shift[:, None])
        at = at.expand(-1, -1, len(self.n_features))
        inside = (at >= first[:, None, None]) & (at < last[:, None, None]) & valid.unsqueeze(-1)
        x, mask = gather_windows(self.x, self.mask, at.clamp(0, len(self.x) - 1), inside, self.n_features)
        own = torch.minimum(index, last[:, None] - 1)
        time = self.time[own] - self.time[own[:, :1]]
        y = torch.where(valid.unsqueeze(-1), self.y[own], torch.nan)
        return Batch(x, mask, time, valid, trial, y)


def training_batches(data: TokenTensors, settings: Training, n_times: int, generator: torch.Generator) -> Iterator[Batch]:
    """One epoch: about as many crops as fill every trial, in random order, with incompleteness and shifts."""
    lengths = data.offsets.diff()
    crops = (lengths.double() / n_times).round().long().clamp(min=1)
    trial = torch.repeat_interleave(torch.arange(len(lengths)), crops)
    trial = trial[torch.randperm(len(trial), generator=generator)]
    room = (lengths[trial] - n_times).clamp(min=0) + 1
    start = (torch.rand(len(trial), generator=generator) * room).long()
    rate, n_modalities = data.layout.token_rate, len(data.n_features)
    for at in torch.arange(len(trial)).split(settings.batch_size):
        largest = round(settings.shift_seconds * rate)
        shift = draw_shifts(len(at), n_modalities, settings.shift_chance, largest, generator)
        batch = data.batch(trial[at], start[at], n_times, shift)
        mask = drop_tokens(
            batch.mask, settings.modality_dropout, settings.token_dropout, settings.gap_chance,
            settings.gap_seconds * rate, generator,
        )  # fmt: skip
        yield batch._replace(mask=mask)


def segments(lengths: np.ndarray, n_times: int) -> tuple[np.ndarray, np.ndarray]:
    """(trial, start) of windows that cover every token, half overlapping; the last one ends with the trial."""
    trials, starts = [], []
    for i, length in enumerate(lengths):
        last = max(int(length) - n_times, 0)
        own = sorted({*range(0, last, max(n_times // 2, 1)), last})
        trials += [i] * len(own)
        starts += own
    return np.array(trials, np.int64), np.array(starts, np.int64)


@torch.no_grad()
def predict_tokens(model: torch.nn.Module, data: TokenTensors, n_times: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Predictions (n_tokens, n_outputs), averaged where segments overlap, and routing per trial.

    Routing: name -> (n_trials, ...), the mean over a trial's valid steps, or over its segments.
    """
    model.eval()
    trial, start = (torch.from_numpy(a) for a in segments(data.offsets.diff().numpy(), n_times))
    total = torch.zeros(len(data.x), data.y.shape[1])
    count = torch.zeros(len(data.x), 1)
    sums: dict[str, Tensor] = {}
    weight = torch.zeros(len(data.offsets) - 1)
    for at in torch.arange(len(trial)).split(PREDICT_BATCH):
        batch = data.batch(trial[at], start[at], n_times)
        output: Output = model(batch._replace(y=None))
        index = (data.offsets[trial[at]] + start[at])[:, None] + torch.arange(n_times)
        rows = index[batch.valid]
        total.index_add_(0, rows, output.prediction[batch.valid])
        count.index_add_(0, rows, torch.ones(len(rows), 1))
        n_valid = batch.valid.sum(1).to(total.dtype)
        weight.index_add_(0, trial[at], n_valid)
        for name, value in output.routing.items():
            value = _weighted(value, batch.valid, n_valid)
            sums.setdefault(name, torch.zeros(len(weight), *value.shape[1:])).index_add_(0, trial[at], value)
    routing = {n: (s / weight.view(-1, *[1] * (s.dim() - 1))).numpy() for n, s in sums.items()}
    return (total / count).numpy(), routing


def _weighted(value: Tensor, valid: Tensor, n_valid: Tensor) -> Tensor:
    """Sum over valid steps of (B, T, n, ...); (B, n) or a scalar counts once for each valid step. Returns (B, ...)."""
    if value.dim() >= 3:
        return (value * valid.view(*valid.shape, *[1] * (value.dim() - 2))).sum(1)
    return value.expand(len(valid), *value.shape[1:]) * n_valid.view(-1, *[1] * max(value.dim() - 1, 0))
