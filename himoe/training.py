"""The one trainer: every model, every fold of a shard, best epoch by inner-validation subjects only."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from himoe import registry
from himoe.audit import check_split, select
from himoe.rows import to_rows
from himoe.types import BuildContext, HimoeError, Split, Tokens

if TYPE_CHECKING:
    import torch

    from himoe.config import Training
    from himoe.job import Progress

WARM_UP = 0.05
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Scaler:
    """Affine maps fitted on training rows: features to unit variance where present, targets to unit variance."""

    mean: np.ndarray
    scale: np.ndarray
    y_mean: np.ndarray
    y_scale: np.ndarray

    @staticmethod
    def fit(tokens: Tokens) -> Scaler:
        """Moments over present tokens; targets over labels (trials, or tokens where they vary within a trial)."""
        columns = np.repeat(tokens.mask, [len(n) for n in tokens.layout.features], axis=1)
        x = np.where(columns, tokens.x, 0).astype(np.float64)
        n = np.maximum(columns.sum(0), 1)
        mean = x.sum(0) / n
        scale = np.sqrt(np.where(columns, (x - mean) ** 2, 0).sum(0) / n)
        y = (tokens.y if tokens.layout.per_token else tokens.y[tokens.offsets[:-1]]).astype(np.float64)
        y_scale = np.nanstd(y, axis=0)
        return Scaler(mean, np.where(scale > 1e-9, scale, 1.0), np.nanmean(y, axis=0), np.where(y_scale > 1e-9, y_scale, 1.0))

    def transform(self, tokens: Tokens) -> Tokens:
        """Scaled tokens; absent ones stay 0."""
        columns = np.repeat(tokens.mask, [len(n) for n in tokens.layout.features], axis=1)
        x = np.where(columns, (tokens.x - self.mean) / self.scale, 0.0).astype(np.float32)
        y = ((tokens.y - self.y_mean) / self.y_scale).astype(np.float32)
        return Tokens(x, tokens.mask, tokens.time, y, tokens.offsets, tokens.trials, tokens.layout)

    def inverse(self, y: np.ndarray) -> np.ndarray:
        """Predictions (n, n_outputs) in the unit of the targets."""
        return y * self.y_scale + self.y_mean


@dataclass
class Fitted:
    """One fold's result: arrays to store, what happened, and who was read."""

    fold: int
    scaler: Scaler
    state: Arrays
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    n_parameters: int = 0
    seconds: float = 0.0
    read: list[str] = field(default_factory=list)


def n_times(layout_rate: float, settings: Training) -> int:
    """Tokens of a crop."""
    return max(2, round(settings.crop_seconds * layout_rate))


def fit_fold(
    model: str, config: Any, split: Split, load: Callable[[set[str]], Tokens], protocol: str, settings: Training, seed: int,
    progress: Progress,
) -> Fitted:  # fmt: skip
    """Fit one fold. ``load`` gives the tokens of the subjects named; test subjects are never asked for."""
    check_split(split, protocol)
    plugin = registry.load("models", model)
    train = select(load({s for s, _ in split.train}), split.train)
    valid = select(load({s for s, _ in split.valid}), split.valid)
    started = time.perf_counter()
    scaler = Scaler.fit(train)
    fitted = Fitted(split.fold, scaler, {}, read=sorted([*split.train.values(), *split.valid.values()]))
    scaled = scaler.transform(train), scaler.transform(valid)
    if hasattr(plugin, "build"):
        _fit_torch(plugin, config, *scaled, settings, seed, progress, fitted)
    else:
        fitted.state = plugin.fit(*(to_rows(part) for part in scaled), config, seed)
        fitted.n_parameters = sum(a.size for a in fitted.state.values())
    fitted.seconds = time.perf_counter() - started
    return fitted


def build_model(plugin: ModuleType, config: Any, layout: Any, settings: Training) -> torch.nn.Module:
    """A torch model for this layout; where its config names a model to match in size, that one is counted first."""
    ctx = BuildContext(layout, n_times(layout.token_rate, settings))
    if reference := getattr(config, "match_parameters", ""):
        other = registry.load("models", reference)
        # same width and depth as ours, so that only the paper's parts differ
        shared = {k: v for k, v in config.model_dump().items() if k in other.Config.model_fields}
        n_parameters = sum(p.numel() for p in other.build(ctx, other.Config(**shared)).parameters())
        ctx = BuildContext(layout, ctx.n_times, n_parameters)
    return plugin.build(ctx, config)


def _fit_torch(
    plugin: ModuleType, config: Any, train: Tokens, valid: Tokens, settings: Training, seed: int,
    progress: Progress, fitted: Fitted,
) -> None:  # fmt: skip
    import torch

    from himoe.windows import TokenTensors, training_batches

    torch.use_deterministic_algorithms(True)
    torch.manual_seed(np.random.SeedSequence([seed, fitted.fold]).generate_state(1)[0].item())
    generator = torch.Generator().manual_seed(torch.initial_seed() + 1)
    model = build_model(plugin, config, train.layout, settings)
    fitted.n_parameters = sum(p.numel() for p in model.parameters())
    data, held = TokenTensors(train), TokenTensors(valid)
    length = n_times(train.layout.token_rate, settings)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    n_steps = settings.epochs * sum(1 for _ in training_batches(data, settings, length, torch.Generator()))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _cosine(step / n_steps))
    most = -math.inf
    for epoch in range(1, settings.epochs + 1):
        model.train()
        losses = []
        for batch in training_batches(data, settings, length, generator):
            output = model(batch)
            loss = _objective(output.prediction, batch.y, batch.valid, train.layout.per_token, settings.ccc_weight)
            loss = loss + sum(output.losses.values())
            if not torch.isfinite(loss):
                raise HimoeError(f"fold {fitted.fold}: loss is {loss.item()} in epoch {epoch}; try a smaller learning_rate")
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        valid_loss, valid_ccc = _validate(model, held, length, settings.ccc_weight)
        mean_loss = float(np.mean(losses))
        fitted.history.append({"epoch": epoch, "loss": mean_loss, "valid_loss": valid_loss, "valid_ccc": valid_ccc})
        progress.epoch(epoch, mean_loss, valid_loss, valid_ccc)
        if valid_ccc > most:
            most, fitted.best_epoch = valid_ccc, epoch
            fitted.state = {name: value.numpy().copy() for name, value in model.state_dict().items()}
        if epoch - fitted.best_epoch >= settings.patience:
            break


def _cosine(share: float) -> float:
    """Linear warm-up, then half a cosine to 0 (Loshchilov & Hutter 2017)."""
    if share < WARM_UP:
        return max(share, 1e-3) / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


def _objective(
    prediction: torch.Tensor, y: torch.Tensor, valid: torch.Tensor, per_token: bool, ccc_weight: float
) -> torch.Tensor:
    """Squared error plus ``ccc_weight`` (1 - CCC over the batch), of tokens or of masked means over each window."""
    from himoe.nn.losses import concordance_loss, masked_mean, squared_error

    if per_token:
        prediction, y = prediction[valid], y[valid]
    else:
        prediction, y = masked_mean(prediction, valid, 1), y[:, 0]
    return squared_error(prediction, y) + ccc_weight * concordance_loss(prediction, y)


def _validate(model: torch.nn.Module, held: Any, length: int, ccc_weight: float) -> tuple[float, float]:
    """(loss, mean CCC over targets) on the inner-validation subjects, whole trials."""
    import torch

    from himoe.nn.losses import concordance_loss, squared_error
    from himoe.windows import predict_tokens

    predicted, _ = predict_tokens(model, held, length)
    prediction, y = torch.from_numpy(predicted), held.y
    if not held.layout.per_token:
        prediction, y = mean_per_trial(prediction, held.offsets), y[held.offsets[:-1]]
    concordance = concordance_loss(prediction, y)
    return (squared_error(prediction, y) + ccc_weight * concordance).item(), 1 - concordance.item()


def mean_per_trial(values: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """(n_tokens, n) -> (n_trials, n)."""
    import torch

    lengths = offsets.diff()
    trial = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    sums = torch.zeros(len(lengths), values.shape[1]).index_add_(0, trial, values)
    return sums / lengths.unsqueeze(-1)
