"""The training loop: folds trained side by side as one stack, each with its own data, noise, learning rate and end.

What a fold learns does not depend on who else is in the stack, nor on when others leave it: its crops, perturbations and
dropout are functions of its key, epoch and step, its normalisation is an affine map of its own, and a fold that is done, waits
for longer epochs of others, or met a number that is not finite does not move. A stack of one is plain sequential training, and
the reference; a larger one equals it up to rounding.

Axes: K folds in the stack, P parameters of one model.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from himoe.nn.losses import concordance_loss, squared_error
from himoe.nn.noise import fold_in
from himoe.train import devices
from himoe.train.prediction import Prediction, mean_per_trial, predict_tokens
from himoe.train.runs import End, FoldRun, LoopState
from himoe.train.stack import Adam, Stack
from himoe.train.step import Schedule, TrainingStep, objective, warm_up_and_cosine
from himoe.train.windows import Affine, Bank, Windows, cover, crops, n_crops, training_batch
from himoe.types import Batch

if TYPE_CHECKING:
    from himoe.config.sections import Training
    from himoe.train.checkpoint import Checkpoint
    from himoe.train.progress import Progress

log = logging.getLogger("himoe")


class Machine(NamedTuple):
    """What works on a stack for as long as nobody leaves it: the training step, and prediction where folds are judged."""

    affine: Affine
    step: TrainingStep
    judge: Prediction | None


@dataclass
class Trainer:
    """Trains the runs of folds on one bank."""

    bank: Bank
    training: Training
    seed: int
    n_times: int
    device: torch.device
    progress: Progress
    checkpoint: Checkpoint | None = None
    captured: bool = False

    def run(self, runs: list[FoldRun], phase: str) -> None:
        """Train them all to their ends; equal seeds, data and settings give equal bits."""
        state, stack, adam = self._start(runs, phase)
        machine = None
        while not all(run.end for run in runs):
            stacked = [runs[row] for row in state.rows]
            machine = machine or self._machine(stacked, stack, adam, state)

            def snapshot() -> dict[str, Any]:
                return _snapshot(runs, phase, state, stack, adam)

            self.train_epoch(stacked, stack, adam, state, machine, snapshot)
            scores = self._validate(stacked, machine)
            if scores is None:
                state.diverged.logical_or_(self._not_finite_at_the_end(stacked, stack, machine.affine, state.epoch))
            self.conclude_epoch(stacked, stack, adam, state, scores)
            going = self._going_on(stacked, stack)
            if len(going) < len(stacked):
                self.captured = machine.step.repeat.captured  # where torch refused it once, it is not asked again
                stack.flat, machine = stack.flat[going], None
                adam.keep(going)
            state.next_epoch(going)

    def keys(self, runs: list[FoldRun]) -> Tensor:
        """(K,): what each fold's noise grows from."""
        words = [np.random.SeedSequence([self.seed, r.fold]).generate_state(1, np.uint64).view(np.int64)[0] for r in runs]
        return torch.tensor(np.array(words))

    def steps(self, runs: list[FoldRun]) -> np.ndarray:
        """(K,) steps of each fold's epoch."""
        return np.array([-(-n_crops(self.bank, run.train, self.n_times) // self.training.batch_size) for run in runs])

    def _start(self, runs: list[FoldRun], phase: str) -> tuple[LoopState, Stack, Adam]:
        """At the beginning, or where the checkpoint left this phase of these folds."""
        folds = [run.fold for run in runs]
        kept = (self.checkpoint.state.current if self.checkpoint else None) or {}
        resumed = (kept.get("folds"), kept.get("phase")) == (folds, phase)
        if resumed:
            for run, results in zip(runs, kept["runs"], strict=True):
                run.restore(results)
        rows = kept["rows"] if resumed else list(range(len(runs)))
        # one model is the template of a resumed stack, whose weights come from the checkpoint
        models = [runs[row].initial_model() for row in rows[: 1 if resumed else None]]
        stack = Stack(models, self.device, devices.autocast(self.training), len(runs))
        weight_decay, clip_norm = self.training.weight_decay, self.training.clip_norm
        if not resumed:
            zeros = torch.zeros(len(rows), device=self.device)
            return LoopState(rows, 1, 0, zeros, zeros.bool()), stack, Adam.of(stack, weight_decay, clip_norm)
        names = ("flat", "first", "second", "steps", "total", "diverged")
        tensors = {name: kept[name].to(self.device) for name in names}
        stack.flat = tensors["flat"]
        adam = Adam(weight_decay, clip_norm, tensors["first"], tensors["second"], tensors["steps"])
        state = LoopState(rows, kept["epoch"], kept["step"], tensors["total"], tensors["diverged"])
        log.info("folds %s: resumed at epoch %d, step %d (%s)", folds, state.epoch, state.step, phase)
        return state, stack, adam

    def _machine(self, runs: list[FoldRun], stack: Stack, adam: Adam, state: LoopState) -> Machine:
        """For this stack as it is now: another where folds leave it."""
        bank, n_times = self.bank, self.n_times
        affine = Affine.of([run.scaler for run in runs], self.device)
        loss = objective(bank.layout.per_token, self.training.ccc_weight)
        step = TrainingStep(bank, stack, adam, state, affine, loss, self.training, n_times, self.captured)
        judged = [run.valid for run in runs if run.valid is not None]
        if not judged:
            return Machine(affine, step, None)
        return Machine(
            affine, step, Prediction(stack, bank, affine, cover(bank, judged, n_times), n_times, captured=self.captured)
        )

    def train_epoch(
        self, runs: list[FoldRun], stack: Stack, adam: Adam, state: LoopState, machine: Machine,
        snapshot: Callable[[], dict[str, Any]],
    ) -> None:  # fmt: skip
        """The rest of one epoch."""
        schedule = self._schedule(runs, state.epoch)
        machine.step.begin(schedule, state.step)
        for step in range(state.step, len(schedule.rate)):
            machine.step.take()
            state.step = step + 1
            if self.checkpoint:
                self.checkpoint.save_if_due(snapshot)

    def _schedule(self, runs: list[FoldRun], epoch: int) -> Schedule:
        """Of an epoch: each fold on the clock of its own steps; the others wait for the longest."""
        width, keys = self.training.batch_size, fold_in(self.keys(runs), epoch)  # (K,)
        drawn = [crops(self.bank, run.train, self.n_times, key) for run, key in zip(runs, keys, strict=True)]
        windows = Windows.padded(drawn, width, self.device)
        own_steps = self.steps(runs)
        step = np.arange(windows.trial.shape[1] // width)[:, None]
        share = ((epoch - 1) * own_steps + step) / (self.training.epochs * own_steps)
        rates = np.vectorize(warm_up_and_cosine)(share) * self.training.learning_rate
        active = (step < own_steps) & np.array([run.end is None for run in runs])
        there = (torch.from_numpy(table).to(self.device) for table in (rates, active))
        return Schedule.of(windows, width, keys.to(self.device), *there)

    def _validate(self, runs: list[FoldRun], machine: Machine) -> np.ndarray | None:
        """(2, K) loss and CCC (mean over targets) on all rows of each fold's inner-validation subjects, whole trials."""
        valid = [run.valid for run in runs if run.valid is not None]
        if not machine.judge:
            return None
        bank, affine = self.bank, machine.affine
        predicted = machine.judge.run().tokens
        judged = torch.zeros(len(runs), len(bank.lengths), dtype=torch.bool)  # (K, n_trials)
        for row, trials in enumerate(valid):
            judged[row, trials] = True
        known, y = judged.to(self.device), bank.y
        if bank.layout.per_token:
            known = known.repeat_interleave(bank.offsets.diff(), dim=1, output_size=len(bank.x))  # (K, n_tokens)
        else:
            predicted, y = mean_per_trial(predicted, bank), y[bank.offsets[:-1]]
        y = torch.where(known.unsqueeze(-1), (y - affine.y_mean[:, 0]) / affine.y_scale[:, 0], torch.nan)
        concordance = torch.vmap(concordance_loss)(predicted, y)
        loss = torch.vmap(squared_error)(predicted, y) + self.training.ccc_weight * concordance
        return torch.stack([loss, 1 - concordance]).cpu().numpy()

    def predict_valid(self, run: FoldRun, weights: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of a fold with weights (P,) on its validation rows, as predicted for test rows: targets and predictions (n,
        n_outputs), in standardised units, and the trial of each (n,). The fold stands alone: nothing depends on who else was
        in the stack."""
        assert run.valid is not None
        bank, affine = self.bank, Affine.of([run.scaler], self.device)
        stack = Stack([run.initial_model()], self.device, devices.autocast(self.training))
        stack.flat = weights[None].to(self.device)
        predicted = predict_tokens(stack, bank, affine, cover(bank, [run.valid], self.n_times), self.n_times).tokens
        y, trial = bank.y, np.arange(len(bank.lengths))
        if bank.layout.per_token:
            trial = np.repeat(trial, bank.lengths)
        else:
            predicted, y = mean_per_trial(predicted, bank), y[bank.offsets[:-1]]
        rows = np.isin(trial, run.valid)
        y = (y - affine.y_mean[0, 0]) / affine.y_scale[0, 0]
        return y.cpu().numpy()[rows], predicted[0].cpu().numpy()[rows], trial[rows]

    def _not_finite_at_the_end(self, runs: list[FoldRun], stack: Stack, affine: Affine, epoch: int) -> Tensor:
        """(K,) folds without validation in their last epoch whose predictions on their training rows are not finite."""
        ending = torch.tensor([run.n_epochs == epoch for run in runs], device=self.device)
        if not ending.any():
            return ending
        windows = cover(self.bank, [run.train for run in runs], self.n_times)
        predicted = predict_tokens(stack, self.bank, affine, windows, self.n_times).tokens
        return ending & ~torch.isfinite(predicted).all(2).all(1)

    def conclude_epoch(
        self, runs: list[FoldRun], stack: Stack, adam: Adam, state: LoopState, scores: np.ndarray | None
    ) -> None:  # fmt: skip
        """Write the epoch down and say who is at an end; ``scores`` (2, K) as from ``_validate``."""
        n_steps = self.steps(runs)
        losses = state.total.cpu().numpy() / n_steps
        diverged, steps_taken = state.diverged.tolist(), adam.steps.tolist()
        for row, run in enumerate(runs):
            if run.end:
                continue
            if diverged[row]:
                step = steps_taken[row] - (state.epoch - 1) * n_steps[row] + 1
                where = f"step {step}" if step <= n_steps[row] else "its predictions are not finite"
                run.end, run.failed = End.DIVERGED, f"diverged in epoch {state.epoch}, {where}"
            elif scores is not None and not np.isfinite(scores[:, row]).all():
                run.end, run.failed = End.NOT_JUDGED, f"diverged in epoch {state.epoch}: validation is not finite"
            elif scores is not None:
                values = {"loss": losses[row], "valid_loss": scores[0, row], "valid_ccc": scores[1, row]}
                values = {name: float(value) for name, value in values.items()}
                run.record_epoch(state.epoch, values)
                self.progress.epoch(run.fold, state.epoch, **values)
                if run.best_epoch == state.epoch:
                    run.weights = stack.flat[row].cpu().clone()
                if state.epoch - run.best_epoch >= self.training.patience:
                    run.end = End.NO_BETTER
            if run.end is None and state.epoch == run.n_epochs:
                run.end = End.LAST_EPOCH
            if run.end and run.weights is None:
                run.weights = _initial(run) if run.end is End.NOT_JUDGED else stack.flat[row].cpu().clone()
            if run.failed:
                log.error("fold %d: %s; the weights before that are kept, the other folds go on", run.fold, run.failed)

    def _going_on(self, runs: list[FoldRun], stack: Stack) -> Tensor:
        """(n,) places of the stack that stay in it.

        A stack of several never shrinks to one: one model alone rounds otherwise, and a fold's result would depend on when the
        others are done.
        """
        going = [row for row, run in enumerate(runs) if run.end is None]
        if len(going) == 1 and stack.n_begun > 1:
            going = sorted([*going, next(row for row in range(len(runs)) if row not in going)])
        return torch.tensor(going, dtype=torch.int64, device=self.device)

    def one_fold(self, run: FoldRun, n_windows: int) -> tuple[Stack, Batch, Tensor]:
        """One fold alone, the first windows it is trained on, and its key (1,)."""
        keys, affine = self.keys([run]), Affine.of([run.scaler], self.device)
        windows = Windows.padded([crops(self.bank, run.train, self.n_times, keys[0])], n_windows, self.device)
        stack = Stack([run.initial_model()], self.device, devices.autocast(self.training))
        keys = keys.to(self.device)
        batch = training_batch(self.bank, affine, windows.select(slice(0, n_windows)), self.n_times, self.training, keys)
        return stack, batch, keys


def _initial(run: FoldRun) -> Tensor:
    """(P,) weights before the first step."""
    return nn.utils.parameters_to_vector(run.initial_model().parameters()).detach()


def _snapshot(runs: list[FoldRun], phase: str, state: LoopState, stack: Stack, adam: Adam) -> dict[str, Any]:
    """All that the rest of a phase depends on."""
    tensors = {"flat": stack.flat, "first": adam.first, "second": adam.second, "steps": adam.steps}
    tensors |= {"total": state.total, "diverged": state.diverged}
    place = {"folds": [run.fold for run in runs], "phase": phase, "rows": state.rows, "epoch": state.epoch, "step": state.step}
    return {name: t.cpu() for name, t in tensors.items()} | place | {"runs": [run.results() for run in runs]}
