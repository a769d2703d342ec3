"""Windows on the tokens of a job: training crops, prediction segments. One copy of the data, on the device, for all folds.

Axes: K folds side by side, B windows of each, T tokens, F features, M modalities, N tokens of the bank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from himoe.nn import noise
from himoe.nn.augment import Losses, draw_losses, gather_windows
from himoe.nn.encoder import owners
from himoe.train.scaling import Scaler
from himoe.types import Batch, Tokens

if TYPE_CHECKING:
    from himoe.config.sections import Training


class Bank:
    """Every token a job may read, as recorded: x (N, F), mask (N, M), time (N,), y (N, n_outputs), offsets (n_trials + 1,);
    baseline (n_trials, F), None where there is none to subtract."""

    def __init__(self, tokens: Tokens, device: torch.device | str = "cpu"):
        self.layout, self.device = tokens.layout, torch.device(device)
        columns = (torch.from_numpy(a).to(device) for a in (tokens.x, tokens.mask, tokens.time, tokens.y, tokens.offsets))
        self.x, self.mask, self.time, self.y, self.offsets = columns
        self.baseline = None if tokens.baseline is None else torch.from_numpy(tokens.baseline).to(device)
        self.lengths = np.diff(tokens.offsets)
        self.n_features = tuple(len(names) for names in tokens.layout.features)
        self.owner = owners(self.n_features).to(device)


class Affine(NamedTuple):
    """Each fold's normalisation, applied to windows as they are drawn: mean, scale (K, 1, 1, F), those of y (.., n_outputs),
    coefficient of the baseline (K, 1, 1, F)."""

    mean: Tensor
    scale: Tensor
    y_mean: Tensor
    y_scale: Tensor
    baseline: Tensor

    @staticmethod
    def of(scalers: list[Scaler], device: torch.device | str = "cpu") -> Affine:
        """Of these folds, in this order."""
        stacked = (np.stack([getattr(s, name) for s in scalers]) for name in Affine._fields)
        return Affine(*(torch.from_numpy(a).float().to(device)[:, None, None] for a in stacked))


class Windows(NamedTuple):
    """Where windows begin: trial of the bank (K, B), -1 for none, and token of the trial (K, B)."""

    trial: Tensor
    start: Tensor

    @staticmethod
    def padded(rows: list[tuple[np.ndarray, np.ndarray]], multiple: int = 1, device: torch.device | str = "cpu") -> Windows:
        """(trial, start) of each fold as one table, as wide as the longest, rounded up."""
        width = -(-max(len(trial) for trial, _ in rows) // multiple) * multiple
        filled = [[np.pad(part, (0, width - len(part)), constant_values=-1) for part in row] for row in rows]
        return Windows(*(torch.from_numpy(np.stack(column)).to(device) for column in zip(*filled, strict=True)))

    def select(self, columns: slice) -> Windows:
        """Some windows of every fold."""
        return Windows(self.trial[:, columns], self.start[:, columns])


def read(bank: Bank, affine: Affine, windows: Windows, n_times: int, shift: Tensor | None = None) -> Batch:
    """Batch (K, B, ...) of ``n_times`` tokens each; what lies past a trial's end, or in no trial, is not valid and absent.

    ``shift`` (K, B, M) delays each modality by whole tokens: it takes its data from earlier in the same trial.
    """
    trial = windows.trial.flatten().clamp(min=0)
    first, last = bank.offsets[trial], bank.offsets[trial + 1]
    index = (first + windows.start.flatten().clamp(min=0))[:, None] + torch.arange(n_times, device=bank.device)  # (K*B, T)
    valid = (index < last[:, None]) & (windows.trial.flatten() >= 0)[:, None]
    source = index.unsqueeze(-1) - (0 if shift is None else shift.flatten(0, 1)[:, None])
    source = source.expand(-1, -1, len(bank.n_features))  # (K*B, T, M): the token whose data each modality shows
    inside = (source >= first[:, None, None]) & (source < last[:, None, None]) & valid.unsqueeze(-1)
    x, mask = gather_windows(bank.x, bank.mask, source.clamp(0, len(bank.x) - 1), inside, bank.n_features)
    inside_trial = torch.minimum(index, last[:, None] - 1)  # what lies past the end reads the last token, and is not valid
    time = bank.time[inside_trial] - bank.time[inside_trial[:, :1]]
    x, mask, time, valid, y = (a.unflatten(0, windows.trial.shape) for a in (x, mask, time, valid, bank.y[inside_trial]))
    if bank.baseline is not None:
        x = x - affine.baseline * bank.baseline[trial].unflatten(0, windows.trial.shape).unsqueeze(2)
    x = torch.where(mask[..., bank.owner], (x - affine.mean) / affine.scale, 0.0)
    y = torch.where(valid.unsqueeze(-1), (y - affine.y_mean) / affine.y_scale, torch.nan)
    return Batch(x, mask, time, valid, windows.trial, y)


def crops(bank: Bank, trials: np.ndarray, n_times: int, key: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(trial, start) of one epoch of one fold: about as many crops as fill its trials, in random order. ``key`` is a scalar."""
    lengths, key = bank.lengths[trials], noise.fold_in(key, 0)  # steps of the epoch count from 1
    trial = np.repeat(np.arange(len(trials)), _crops_of(lengths, n_times))
    order = noise.uniform(noise.fold_in(key, 1), len(trial)).argsort(stable=True).numpy()
    room = np.maximum(lengths - n_times, 0)[trial[order]] + 1
    start = noise.uniform(noise.fold_in(key, 2), len(trial)).double().numpy() * room
    return trials[trial[order]], start.astype(np.int64)


def n_crops(bank: Bank, trials: np.ndarray, n_times: int) -> int:
    """How many crops an epoch has."""
    return int(_crops_of(bank.lengths[trials], n_times).sum())


def _crops_of(lengths: np.ndarray, n_times: int) -> np.ndarray:
    """Crops of each trial in an epoch."""
    return np.maximum(np.rint(lengths / n_times).astype(np.int64), 1)


def training_batch(
    bank: Bank, affine: Affine, windows: Windows, n_times: int, settings: Training, keys: Tensor
) -> Batch:  # fmt: skip
    """Crops (K, B) with incompleteness and shifts drawn from keys (K,)."""
    rate = bank.layout.token_rate
    losses = Losses(
        settings.modality_dropout, settings.token_dropout, settings.gap_chance, settings.gap_seconds * rate,
        settings.shift_chance, round(settings.shift_seconds * rate),
    )  # fmt: skip
    drawn = draw_losses(keys, windows.trial.shape[1], n_times, len(bank.n_features), losses)
    batch = read(bank, affine, windows, n_times, drawn.shift)
    return batch._replace(mask=batch.mask & drawn.keep)


def segments(lengths: np.ndarray, n_times: int) -> tuple[np.ndarray, np.ndarray]:
    """(trial, start) of windows that cover every token, half overlapping; the last one ends with the trial."""
    trials, starts = [], []
    for i, length in enumerate(lengths):
        last = max(int(length) - n_times, 0)
        of_trial = sorted({*range(0, last, max(n_times // 2, 1)), last})
        trials += [i] * len(of_trial)
        starts += of_trial
    return np.array(trials, np.int64), np.array(starts, np.int64)


def cover(bank: Bank, trials: list[np.ndarray], n_times: int) -> Windows:
    """Segments of the trials of each fold."""
    drawn = [segments(bank.lengths[of_fold], n_times) for of_fold in trials]
    rows = [(of_fold[i], start) for of_fold, (i, start) in zip(trials, drawn, strict=True)]
    return Windows.padded(rows, device=bank.device)
