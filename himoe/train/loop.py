"""The loop: folds trained side by side as one stack, each with its own data, noise, learning rate and end.

What a fold learns does not depend on who else is in the stack, nor on when others leave it: its crops, perturbations and
dropout are functions of its key, epoch and step, its normalisation is an affine map of its own, and a fold that is done, waits
for longer epochs of others, or met a number that is not finite does not move. A stack of one is plain sequential training, and
the reference; a larger one equals it up to rounding.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from himoe.nn.losses import concordance_loss, masked_mean, squared_error
from himoe.nn.noise import fold_in
from himoe.train import devices
from himoe.train.scaling import Arrays, Scaler
from himoe.train.stack import Adam, Objective, Stack
from himoe.train.windows import Affine, Bank, Windows, cover, crops, mean_per_trial, n_crops, predict_tokens, training_batch
from himoe.types import Batch, Output

if TYPE_CHECKING:
    from himoe.config.sections import Training
    from himoe.train.checkpoint import Checkpoint
    from himoe.train.progress import Progress

WARM_UP = 0.05
INPUT, MODEL = 1, 2  # which noise
log = logging.getLogger("himoe")


@dataclass
class Course:
    """One fold's way through one phase: which trials of the bank it is trained and judged on, and what came of it.

    Without ``valid`` it is trained for all of ``n_epochs`` and the last weights are kept, else the best ones. ``failed`` says
    where it diverged; ``kept`` (P,) then holds the last good weights.
    """

    fold: int
    train: np.ndarray
    valid: np.ndarray | None
    scaler: Scaler
    n_epochs: int
    init: Callable[[], nn.Module]
    history: list[dict[str, float]] = field(default_factory=list)
    best: int = 0
    most: float = -math.inf
    kept: Tensor | None = None
    failed: str = ""
    done: bool = False

    RESULTS = ("history", "best", "most", "kept", "failed", "done")

    def results(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {name: getattr(self, name) for name in self.RESULTS}

    def take(self, results: dict[str, Any]) -> None:
        """Go on from what a checkpoint kept."""
        for name in self.RESULTS:
            setattr(self, name, results[name])


@dataclass
class Now:
    """Where a phase stands: ``rows`` of its courses are in the stack; total loss and whether broken, by row."""

    rows: list[int]
    epoch: int
    step: int
    total: Tensor
    broken: Tensor


@dataclass
class Trainer:
    """Trains courses on one bank."""

    bank: Bank
    settings: Training
    seed: int
    n_times: int
    device: torch.device
    progress: Progress
    checkpoint: Checkpoint | None = None

    def run(self, courses: list[Course], phase: str) -> None:
        """Train them all to their ends; equal seeds, data and settings give equal bits."""
        now, stack, adam = self._start(courses, phase)
        loss = objective(self.bank.layout.per_token, self.settings.ccc_weight)
        while not all(course.done for course in courses):
            own = [courses[row] for row in now.rows]
            affine = Affine.of([c.scaler for c in own], self.device)
            self._train(own, stack, adam, now, affine, loss, lambda now=now: self._snapshot(courses, phase, now, stack, adam))
            told = self._judge(own, stack, affine)
            if told is None:
                now.broken = now.broken | self._speechless(own, stack, affine, now.epoch)
            going = self._conclude(own, stack, adam, now, told)
            stack.flat, now.total, now.broken = stack.flat[going], now.total[going] * 0, now.broken[going]
            adam.keep(going)
            now.rows = [now.rows[i] for i in going.tolist()]
            now.epoch, now.step = now.epoch + 1, 0

    def keys(self, courses: list[Course]) -> Tensor:
        """(K,): what each fold's noise grows from."""
        words = [np.random.SeedSequence([self.seed, c.fold]).generate_state(1, np.uint64).view(np.int64)[0] for c in courses]
        return torch.tensor(np.array(words))

    def _start(self, courses: list[Course], phase: str) -> tuple[Now, Stack, Adam]:
        """At the beginning, or where the checkpoint left this phase of these folds."""
        s, folds = self.settings, [c.fold for c in courses]
        kept = self.checkpoint.state.get("current", {}) if self.checkpoint else {}
        if resumed := (kept.get("folds"), kept.get("phase")) == (folds, phase):
            for course, results in zip(courses, kept["courses"], strict=True):
                course.take(results)
        rows = kept["rows"] if resumed else list(range(len(courses)))
        models = [courses[row].init() for row in rows[: 1 if resumed else None]]
        stack = Stack(models, self.device, devices.autocast(s), len(courses), s.compile)
        zeros = torch.zeros(len(rows), device=self.device)
        now = Now(rows, 1, 0, zeros, zeros.bool())
        if resumed:
            moved = {name: kept[name].to(self.device) for name in ("flat", "first", "second", "steps", "total", "broken")}
            stack.flat = moved["flat"]
            adam = Adam(s.weight_decay, s.clip_norm, moved["first"], moved["second"], moved["steps"])
            now = Now(rows, kept["epoch"], kept["step"], moved["total"], moved["broken"])
            log.info("folds %s: resumed at epoch %d, step %d (%s)", folds, now.epoch, now.step, phase)
            return now, stack, adam
        return now, stack, Adam.of(stack, s.weight_decay, s.clip_norm)

    def _snapshot(self, courses: list[Course], phase: str, now: Now, stack: Stack, adam: Adam) -> dict[str, Any]:
        """All that the rest of this phase depends on."""
        tensors = {"flat": stack.flat, "first": adam.first, "second": adam.second, "steps": adam.steps}
        told = {name: t.cpu() for name, t in (tensors | {"total": now.total, "broken": now.broken}).items()}
        place = {"folds": [c.fold for c in courses], "phase": phase, "rows": now.rows, "epoch": now.epoch, "step": now.step}
        return {"current": told | place | {"courses": [c.results() for c in courses]}}

    def steps(self, courses: list[Course]) -> np.ndarray:
        """(K,) steps of each fold's epoch."""
        return np.array([-(-n_crops(self.bank, c.train, self.n_times) // self.settings.batch_size) for c in courses])

    def _train(
        self, own: list[Course], stack: Stack, adam: Adam, now: Now, affine: Affine, loss: Objective, snapshot: Callable
    ) -> None:  # fmt: skip
        """The rest of one epoch."""
        s, width = self.settings, self.settings.batch_size
        keys, n_steps = fold_in(self.keys(own), now.epoch), self.steps(own)
        drawn = [crops(self.bank, c.train, self.n_times, key) for c, key in zip(own, keys, strict=True)]
        windows, keys = Windows.padded(drawn, width, self.device), keys.to(self.device)
        last = windows.trial.shape[1] // width
        at = np.arange(last)[:, None]
        rates = np.vectorize(_cosine)(((now.epoch - 1) * n_steps + at) / (s.epochs * n_steps)) * s.learning_rate
        waits = np.array([c.done for c in own])
        rates, moving = (torch.from_numpy(a).to(self.device) for a in (rates, (at < n_steps) & ~waits))
        for step in range(now.step, last):
            here = fold_in(keys, step + 1)
            batch = training_batch(
                self.bank, affine, windows.at(slice(step * width, (step + 1) * width)), self.n_times, s, fold_in(here, INPUT)
            )
            losses, gradient = stack.gradients(batch, fold_in(here, MODEL), loss)
            asked = moving[step] & ~now.broken
            went = adam.step(stack, gradient, rates[step], asked & torch.isfinite(losses))
            now.total = now.total + torch.where(went, losses, 0.0)
            now.broken, now.step = now.broken | (asked & ~went), step + 1
            if self.checkpoint:
                self.checkpoint.offer(snapshot)

    def _judge(self, own: list[Course], stack: Stack, affine: Affine) -> np.ndarray | None:
        """(2, K) loss and CCC (mean over targets) on all rows of each fold's inner-validation subjects, whole trials."""
        if own[0].valid is None:
            return None
        bank, windows = self.bank, cover(self.bank, [c.valid for c in own], self.n_times)
        predicted = predict_tokens(stack, bank, affine, windows, self.n_times).tokens
        y, trials = bank.y, torch.zeros(len(own), len(bank.lengths), dtype=torch.bool)
        for row, course in enumerate(own):
            trials[row, course.valid] = True
        trials = trials.to(self.device)
        if bank.layout.per_token:
            known = trials.repeat_interleave(bank.offsets.diff(), dim=1, output_size=len(bank.x))
        else:
            predicted, y, known = mean_per_trial(predicted, bank), y[bank.offsets[:-1]], trials
        y = torch.where(known.unsqueeze(-1), (y - affine.y_mean[:, 0]) / affine.y_scale[:, 0], torch.nan)
        concordance = torch.vmap(concordance_loss)(predicted, y)
        loss = torch.vmap(squared_error)(predicted, y) + self.settings.ccc_weight * concordance
        return torch.stack([loss, 1 - concordance]).cpu().numpy()

    def _speechless(self, own: list[Course], stack: Stack, affine: Affine, epoch: int) -> Tensor:
        """(K,) folds that end unjudged with this epoch and say something that is no number of what they were trained on."""
        ending = torch.tensor([c.n_epochs == epoch for c in own], device=self.device)
        if not ending.any():
            return ending
        windows = cover(self.bank, [c.train for c in own], self.n_times)
        said = predict_tokens(stack, self.bank, affine, windows, self.n_times).tokens
        return ending & ~torch.isfinite(said).all(2).all(1)

    def _conclude(self, own: list[Course], stack: Stack, adam: Adam, now: Now, told: np.ndarray | None) -> Tensor:
        """Write down the epoch; (n,) rows of the folds that go on.

        A stack of several never shrinks to one: to the bit that would be another computation, and a fold would depend on
        when the others are done.
        """
        going, n_steps = [], self.steps(own)
        means, broken, taken = (now.total.cpu().numpy() / n_steps, now.broken.tolist(), adam.steps.tolist())
        for row, course in enumerate(own):
            if course.done:
                continue
            if not broken[row] and told is not None:
                self._write(course, now.epoch, float(means[row]), *map(float, told[:, row]))
                if course.best == now.epoch:
                    course.kept = stack.flat[row].cpu().clone()
            if broken[row]:
                step = taken[row] - (now.epoch - 1) * n_steps[row] + 1
                where = f"step {step}" if step <= n_steps[row] else "its predictions are not finite"
                course.failed = f"diverged in epoch {now.epoch}, {where}"
            if course.failed:
                log.error("fold %d: %s; the weights before that are kept, the other folds go on", course.fold, course.failed)
            if course.kept is None and course.failed and not broken[row]:  # judged, and nothing good before
                course.kept = nn.utils.parameters_to_vector(course.init().parameters()).detach()
            if course.kept is None and (course.failed or (told is None and now.epoch == course.n_epochs)):
                course.kept = stack.flat[row].cpu().clone()
            waited = told is not None and now.epoch - course.best >= self.settings.patience
            course.done = bool(course.failed or waited or now.epoch == course.n_epochs)
            if not course.done:
                going.append(row)
        going = list(range(len(own))) if stack.compiled else going  # compiled for this number of rows
        if len(going) == 1 and stack.n_begun > 1:
            going = sorted([*going, next(row for row in range(len(own)) if row not in going)])
        return torch.tensor(going, dtype=torch.int64, device=self.device)

    def _write(self, course: Course, epoch: int, loss: float, valid_loss: float, valid_ccc: float) -> None:
        if not (math.isfinite(valid_ccc) and math.isfinite(valid_loss)):
            course.failed = f"diverged in epoch {epoch}: validation is not finite"
            return
        told = {"epoch": epoch, "loss": loss, "valid_loss": valid_loss, "valid_ccc": valid_ccc}
        course.history.append(told)
        self.progress.epoch(course.fold, **told)
        if valid_ccc > course.most:
            course.most, course.best = valid_ccc, epoch

    def _first(self, course: Course, n_windows: int) -> tuple[Stack, Batch, Tensor]:
        """One fold alone and the first windows it is trained on."""
        keys, affine = self.keys([course]), Affine.of([course.scaler], self.device)
        windows = Windows.padded([crops(self.bank, course.train, self.n_times, keys[0])], n_windows, self.device)
        stack, keys = Stack([course.init()], self.device, devices.autocast(self.settings)), keys.to(self.device)
        return (
            stack,
            training_batch(self.bank, affine, windows.at(slice(0, n_windows)), self.n_times, self.settings, keys),
            keys,
        )

    def memory_of_one(self, course: Course) -> int:
        """Bytes of GPU memory that one fold takes at its peak, measured on one step."""
        torch.cuda.reset_peak_memory_stats(self.device)
        before = torch.cuda.memory_allocated(self.device)
        stack, batch, keys = self._first(course, self.settings.batch_size)
        stack.gradients(batch, keys, objective(self.bank.layout.per_token, self.settings.ccc_weight))
        return torch.cuda.max_memory_allocated(self.device) - before

    def count_macs(self, course: Course) -> int:
        """Multiply-accumulates of the matrix products and convolutions that predict one window."""
        from torch.utils.flop_counter import FlopCounterMode

        stack, batch, _ = self._first(course, 1)
        with FlopCounterMode(display=False) as counter:
            stack.predict(batch._replace(y=None))
        return counter.get_total_flops() // 2


def arrays(model: nn.Module, flat: Tensor) -> Arrays:
    """Weights (P,) by parameter name."""
    return {name: value.numpy() for name, value in Stack([model], torch.device("cpu")).named(flat).items()}


def objective(per_token: bool, ccc_weight: float) -> Objective:
    """Squared error plus ``ccc_weight`` (1 - CCC over the batch), of tokens or of masked means over each window, plus the
    model's own losses."""

    def loss(output: Output, batch: Batch) -> Tensor:
        prediction, y = output.prediction.float(), batch.y
        if per_token:
            prediction, y = prediction.flatten(0, 1), y.flatten(0, 1)  # y is NaN where not valid
        else:
            prediction, y = masked_mean(prediction, batch.valid, 1), y[:, 0]
        return squared_error(prediction, y) + ccc_weight * concordance_loss(prediction, y) + sum(output.losses.values())

    return loss


def _cosine(share: float) -> float:
    """Linear warm-up, then half a cosine to 0 (Loshchilov & Hutter 2017)."""
    if share < WARM_UP:
        return max(share, 1e-3) / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
