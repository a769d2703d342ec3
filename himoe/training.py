"""The one trainer: every model, every fold of a shard, best epoch by inner-validation subjects only."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from himoe import registry
from himoe.audit import check_split, select
from himoe.fold import Arrays, Fitted, Scaler
from himoe.rows import to_rows
from himoe.types import BuildContext, HimoeError, Layout, Split, Tokens

if TYPE_CHECKING:
    import torch

    from himoe.checkpoint import Checkpoint
    from himoe.job import Progress
    from himoe.settings import Training

WARM_UP = 0.05
log = logging.getLogger("himoe")


def n_times(layout_rate: float, settings: Training) -> int:
    """Tokens of a crop."""
    return max(2, round(settings.crop_seconds * layout_rate))


def configure(plugin: ModuleType, model: str, options: dict[str, Any]) -> Any:
    """A model's settings; HimoeError with the key if one is not valid."""
    try:
        return plugin.Config(**options)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise HimoeError(f"config: model_options.{model}: {told}") from error


def fit_fold(
    model: str, config: Any, reference: dict[str, Any], split: Split, load: Callable[[set[str]], Tokens], protocol: str,
    settings: Training, seed: int, progress: Progress, checkpoint: Checkpoint | None = None,
) -> Fitted:  # fmt: skip
    """Fit one fold. ``load`` gives the tokens of the subjects named; test subjects are never asked for.

    Every model is fitted on the same rows: the training subjects, or, with ``settings.refit``, training and validation
    subjects together; a torch model is then trained anew for as many epochs as inner validation chose. Targets are
    standardised on those rows, so that the reference of skill is the same for every model of a fold. With a ``checkpoint`` a
    torch model's training goes on from the state it holds.
    """
    check_split(split, protocol)
    plugin = registry.load("models", model)
    train = select(load({s for s, _ in split.train}), split.train)
    valid = select(load({s for s, _ in split.valid}), split.valid)
    started, both = time.perf_counter(), Tokens.concatenate([train, valid])
    final = both if settings.refit else train
    fitted = Fitted(split.fold, Scaler.fit(final), {}, read=sorted([*split.train.values(), *split.valid.values()]))
    if hasattr(plugin, "build"):
        fit = Fit(plugin, config, reference, settings, seed, split.fold, progress, checkpoint)
        scaler = Scaler.fit(train)
        chosen = checkpoint.state.get("chosen", {}) if checkpoint else {}
        if chosen.get("fold") == split.fold:  # interrupted while it was trained again
            fitted.history = chosen["history"]
        else:
            fitted.state, fitted.history = fit.run(scaler.transform(train), scaler.transform(valid), settings.epochs)
            if not fitted.state:
                raise HimoeError(f"fold {split.fold}: no epoch gave a finite validation CCC; try a smaller learning_rate")
        if checkpoint and settings.refit:
            checkpoint.state |= {"chosen": {"fold": split.fold, "history": fitted.history}}
        fitted.best_epoch = max(fitted.history, key=lambda told: told["valid_ccc"])["epoch"]
        if settings.refit:
            fitted.state, _ = fit.run(fitted.scaler.transform(both), None, fitted.best_epoch)
        fitted.n_parameters = fit.n_parameters
    else:
        fitted.state = plugin.fit(to_rows(fitted.scaler.transform(final)), config, seed)
        fitted.n_parameters = sum(a.size for a in fitted.state.values() if a.dtype.kind == "f")
    fitted.seconds = time.perf_counter() - started
    return fitted


def build_model(
    plugin: ModuleType, config: Any, reference: dict[str, Any], layout: Layout, settings: Training
) -> torch.nn.Module:  # fmt: skip
    """A torch model for this layout; where a plug-in has a REFERENCE to match in size, that one is counted first.

    ``reference``: the run's options of the reference model.
    """
    ctx = BuildContext(layout, n_times(layout.token_rate, settings))
    if (name := getattr(plugin, "REFERENCE", "")) and config.match_parameters:
        other = registry.load("models", name)
        count = sum(p.numel() for p in other.build(ctx, other.Config(**reference)).parameters())
        ctx = BuildContext(layout, ctx.n_times, count)
    model = plugin.build(ctx, config)
    own = sum(p.numel() for p in model.parameters())
    if ctx.n_parameters and abs(own - ctx.n_parameters) > 0.05 * ctx.n_parameters:
        told = f"{own} parameters against {name}'s {ctx.n_parameters}"
        raise HimoeError(f"{told}: choose another width or match_parameters: false")
    return model


class Moving(NamedTuple):
    """What changes while a model is trained."""

    model: torch.nn.Module
    optimizer: torch.optim.Optimizer
    schedule: Any
    generator: torch.Generator


@dataclass
class Fit:
    """Trains one torch model for one fold; equal seeds and data give equal bits."""

    plugin: ModuleType
    config: Any
    reference: dict[str, Any]
    settings: Training
    seed: int
    fold: int
    progress: Progress
    checkpoint: Checkpoint | None = None
    n_parameters: int = 0
    per_token: bool = False

    def run(self, train: Tokens, valid: Tokens | None, n_epochs: int) -> tuple[Arrays, list[dict[str, float]]]:
        """(weights, history). With ``valid``, the weights of the epoch with the best CCC there; without, the last ones.

        The learning rate follows ``settings.epochs`` in both cases.
        """
        import torch

        from himoe.windows import TokenTensors, training_batches

        torch.use_deterministic_algorithms(True)
        torch.manual_seed(np.random.SeedSequence([self.seed, self.fold]).generate_state(1)[0].item())
        generator = torch.Generator().manual_seed(torch.initial_seed() + 1)
        model = build_model(self.plugin, self.config, self.reference, train.layout, self.settings)
        self.n_parameters, self.per_token = sum(p.numel() for p in model.parameters()), train.layout.per_token
        if getattr(self.config, "readout", "none") == "ridge":
            model.readout.warm_start(*(torch.from_numpy(a) for a in _readout_rows(train)))
        settings, length = self.settings, n_times(train.layout.token_rate, self.settings)
        data, held = TokenTensors(train), None if valid is None else TokenTensors(valid)
        optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
        n_steps = settings.epochs * sum(1 for _ in training_batches(data, settings, length, torch.Generator()))
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _cosine(step / n_steps))
        moving, phase = Moving(model, optimizer, schedule, generator), "refit" if held is None else "choose"
        now = self._resume(moving, phase)

        def restore_rng() -> None:
            if (kept := now.pop("rng", None)) is not None:
                torch.set_rng_state(kept)

        for epoch in range(now["epoch"], n_epochs + 1):
            now |= {"epoch": epoch, "generator": generator.get_state()}
            for step, batch in enumerate(training_batches(data, settings, length, generator)):
                if step < now["step"]:  # trained before the fit was interrupted; drawn again to move the generator
                    continue
                restore_rng()
                now["losses"].append(self._step(model, optimizer, schedule, batch, epoch))
                now["step"] = step + 1
                if self.checkpoint:
                    self.checkpoint.offer(partial(self._snapshot, moving, phase, now))
            restore_rng()
            losses, now["losses"], now["step"] = now["losses"], [], 0
            if held is None:
                continue
            told = {"epoch": epoch, "loss": float(np.mean(losses))} | _validate(model, held, length, settings.ccc_weight)
            now["history"].append(told)
            self.progress.epoch(**told)
            if told["valid_ccc"] > now["most"]:
                now |= {"most": told["valid_ccc"], "best": epoch, "state": _arrays(model)}
            if epoch - now["best"] >= settings.patience:
                break
        return (now["state"] if held is not None else _arrays(model)), now["history"]

    def _snapshot(self, moving: Moving, phase: str, now: dict[str, Any]) -> dict[str, Any]:
        """All that the rest of this training depends on."""
        import torch

        told = now | {"state": {name: torch.from_numpy(a) for name, a in now["state"].items()}, "rng": torch.get_rng_state()}
        parts = {name: part.state_dict() for name, part in moving._asdict().items() if name != "generator"}
        return {"current": {"fold": self.fold, "phase": phase, "now": told, **parts}}

    def _resume(self, moving: Moving, phase: str) -> dict[str, Any]:
        """Where training stands: at its beginning, or where the checkpoint left it; ``moving`` is set accordingly."""
        now = {"epoch": 1, "step": 0, "losses": [], "history": [], "most": -math.inf, "best": 0, "state": {}}
        kept = self.checkpoint.state.get("current") if self.checkpoint else None
        if not kept or (kept["fold"], kept["phase"]) != (self.fold, phase):
            return now
        for name, part in moving._asdict().items():
            if name != "generator":
                part.load_state_dict(kept[name])
        now |= kept["now"] | {"state": {name: t.numpy() for name, t in kept["now"]["state"].items()}}
        moving.generator.set_state(now["generator"])
        log.info("fold %d: resumed at epoch %d, step %d (%s)", self.fold, now["epoch"], now["step"], phase)
        return now

    def _step(self, model: torch.nn.Module, optimizer: Any, schedule: Any, batch: Any, epoch: int) -> float:
        import torch

        model.train()
        output = model(batch)
        loss = _objective(output.prediction, batch.y, batch.valid, self.per_token, self.settings.ccc_weight)
        loss = loss + sum(output.losses.values())
        if not torch.isfinite(loss):
            raise HimoeError(f"fold {self.fold}: loss is {loss.item()} in epoch {epoch}; try a smaller learning_rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), self.settings.clip_norm)
        optimizer.step()
        schedule.step()
        return loss.item()


def _arrays(model: torch.nn.Module) -> Arrays:
    return {name: value.numpy().copy() for name, value in model.state_dict().items()}


def _readout_rows(train: Tokens) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels (float32) of labelled rows: trials, or tokens where labels vary within them."""
    rows = to_rows(train)
    known = np.isfinite(rows.y).all(1)
    return rows.x[known].astype(np.float32), rows.y[known].astype(np.float32)


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


def _validate(model: torch.nn.Module, held: Any, length: int, ccc_weight: float) -> dict[str, float]:
    """Loss and CCC (mean over targets) on all rows of the inner-validation subjects, whole trials."""
    import torch

    from himoe.nn.losses import concordance_loss, squared_error
    from himoe.windows import predict_tokens

    predicted, _ = predict_tokens(model, held, length)
    prediction, y = torch.from_numpy(predicted), held.y
    if not held.layout.per_token:
        prediction, y = mean_per_trial(prediction, held.offsets), y[held.offsets[:-1]]
    concordance = concordance_loss(prediction, y)
    loss = squared_error(prediction, y) + ccc_weight * concordance
    return {"valid_loss": loss.item(), "valid_ccc": 1 - concordance.item()}


def mean_per_trial(values: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """(n_tokens, n) -> (n_trials, n)."""
    import torch

    lengths = offsets.diff()
    trial = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    sums = torch.zeros(len(lengths), values.shape[1]).index_add_(0, trial, values)
    return sums / lengths.unsqueeze(-1)
