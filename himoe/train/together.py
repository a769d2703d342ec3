"""Folds that are trained side by side on one copy of the data: each in every configuration, then again in the one it chose."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from himoe import registry
from himoe.data.reader import load_for_fit
from himoe.data.rows import to_rows
from himoe.splits.guards import check_fit_rows, positions
from himoe.stats.calibration import calibrate
from himoe.stats.mixture import Mixture, mixture
from himoe.train import devices
from himoe.train.build import build_model, crop_tokens
from himoe.train.checkpoint import ResumeState
from himoe.train.cost import count_macs, trial_ms
from himoe.train.loop import Trainer
from himoe.train.results import FittedFold
from himoe.train.runs import End, FoldRun
from himoe.train.scaling import Arrays, Moments, Scaler
from himoe.train.stack import Stack
from himoe.train.tuning import Configuration, best, candidates, configuration, configure
from himoe.train.windows import Bank
from himoe.types import HimoeError, Split

if TYPE_CHECKING:
    from himoe.config.sections import Execution
    from himoe.config.spec import FitSpec
    from himoe.data.reader import Load
    from himoe.train.checkpoint import Checkpoint
    from himoe.train.progress import Progress

Runs = list[FoldRun]
LONG_CROP = 1024  # tokens


@dataclass
class NetworkContext:
    """What all stacks of a shard share. ``load(subjects, forbidden)`` gives the tokens of these subjects and refuses those that
    are forbidden; ``device`` is what :func:`himoe.train.devices.settle` gave; ``checkpoint`` is None where nothing is kept for
    another attempt."""

    spec: FitSpec
    execution: Execution
    device: torch.device
    load: Load
    progress: Progress
    checkpoint: Checkpoint | None = None

    def __post_init__(self) -> None:
        self.plugin = registry.load("models", self.spec.model)
        self.settings = configure(self.plugin, self.spec.model, self.spec.options)
        self.candidates = candidates(self.plugin, self.spec.tuning, self.spec.options)
        self.state = self.checkpoint.state if self.checkpoint else ResumeState()


class StackFit:
    """The fit of some folds together.

    Every fold reads its own trials of the bank and nothing else: :meth:`fold_run` is where that is decided and checked.
    """

    def __init__(self, fits: NetworkContext, splits: list[Split]):
        self.fits, self.splits, self.spec = fits, splits, fits.spec
        self.tokens = load_for_fit(fits.load, fits.spec, splits)
        self.moments = Moments.of(self.tokens)
        self.configurations = [
            configuration(fits.plugin, fits.settings, self.spec.training, changes) for changes in fits.candidates
        ]
        bank, length = Bank(self.tokens, fits.device), crop_tokens(self.tokens.layout.token_rate, self.spec.training)
        if length > LONG_CROP and length > 2 * (longest := int(bank.lengths.max(initial=0))):  # attention takes its square
            raise HimoeError(
                f"training.crop_seconds: {self.spec.training.crop_seconds:g} are {length} tokens, and the longest trial has "
                f"{longest}; set it to {longest / self.tokens.layout.token_rate:g} or less"
            )
        captured = devices.captured(fits.execution, fits.device)
        self.trainers = [
            Trainer(
                bank, c.training, self.spec.seed, length, fits.device, fits.progress, fits.checkpoint, captured
            )
            for c in self.configurations
        ]  # fmt: skip

    @property
    def folds(self) -> list[int]:
        """Their numbers."""
        return [split.fold for split in self.splits]

    @property
    def state(self) -> ResumeState:
        """What is done already, of these folds and others."""
        return self.fits.state

    def fit(self) -> list[FittedFold]:
        """Choose each fold's configuration and epoch, then train it again on all its rows and calibrate it, if that is asked
        for."""
        started = time.perf_counter()
        searched = self._search()
        scores = [[-np.inf if run.failed else run.best_ccc for run in runs] for runs in searched]
        chosen = [best([of_configuration[row] for of_configuration in scores]) for row in range(len(self.splits))]
        final = [searched[n][row] for row, n in enumerate(chosen)]
        if self.spec.training.refit:
            final = self._refit(final, chosen)
        seconds = (time.perf_counter() - started) / len(self.splits)
        cost = {n: self._cost(self.trainers[n], searched[n][0]) for n in set(chosen)}
        fitted = []
        for row, n in enumerate(chosen):
            first, last = searched[n][row], final[row]
            mixed = None if last.failed else self._mix(self.trainers[n], first)
            mix = mixed.weights if mixed else None
            one = self._fitted(first, last, [runs[row] for runs in searched], self.configurations[n], mix)
            one.seconds, one.network_share = seconds, mixed.share if mixed else None
            one.n_macs, one.trial_ms = cost[n]
            if not last.failed and self.spec.training.calibration != "none":
                y, predicted, people = self._said(self.trainers[n], first, mix)
                one.calibration = calibrate(y, predicted, people)
            fitted.append(one)
            self.fits.progress.fold(one.fold)
        return fitted

    def _cost(self, trainer: Trainer, run: FoldRun) -> tuple[int, float]:
        """Multiply-accumulates of a window and milliseconds of a trial."""
        return count_macs(trainer, run), trial_ms(trainer, run)

    def _said(self, trainer: Trainer, run: FoldRun, mix: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Labels and predictions (n, n_outputs) of a fold's validation rows, and whose each is (n,): by the run that chose the
        epoch, before any refit."""
        y, predicted, trial = trainer.predict_valid(run, mixed_weights(run, mix))
        return y, predicted, np.array([t.subject for t in self.tokens.trials], object)[trial]

    def _mix(self, trainer: Trainer, run: FoldRun) -> Mixture | None:
        """Of read-out and network, as validation people ask; None where there is no read-out."""
        if not hasattr(run.initial_model(), "readout"):
            return None
        alone = [np.repeat([[1.0 - i], [i]], len(self.tokens.layout.targets), axis=1) for i in (0.0, 1.0)]
        (y, linear, people), (_, network, _) = (self._said(trainer, run, mix) for mix in alone)
        return mixture(y, linear, network, people)

    def _search(self) -> list[Runs]:
        """Every fold in every configuration; those that were done before an interruption are taken as they were."""
        done = self.state.searched or {}
        results = done["results"] if done.get("folds") == self.folds else []
        searched = []
        for n, (trainer, settings) in enumerate(zip(self.trainers, self.configurations, strict=True)):
            runs = [self.fold_run(split, settings) for split in self.splits]
            if n < len(results):
                _restore(runs, results[n])
            else:
                trainer.run(runs, f"choose {n}")
                results = [*results, [run.results() for run in runs]]
                self.state.searched = {"folds": self.folds, "results": results}
            searched.append(runs)
        return searched

    def _refit(self, first: Runs, chosen: list[int]) -> Runs:
        """Each fold once more, in the configuration it chose, on training and validation rows, for as many epochs as it chose.

        All folds have a place in every configuration's stack: what is computed for one must not depend on what others chose.
        """
        done = self.state.refitted or {}
        results = done["results"] if done.get("folds") == self.folds else {}
        final = list(first)
        for n, (trainer, settings) in enumerate(zip(self.trainers, self.configurations, strict=True)):
            trained = [row for row, run in enumerate(first) if chosen[row] == n and not run.failed]
            if not trained:
                continue
            runs = [self.fold_run(split, settings, run.best_epoch) for split, run in zip(self.splits, first, strict=True)]
            for row, run in enumerate(runs):
                run.end = None if row in trained else End.NOT_TRAINED
            if n in results:
                _restore(runs, results[n])
            else:
                trainer.run(runs, f"refit {n}")
                results = results | {n: [run.results() for run in runs]}
                self.state.refitted = {"folds": self.folds, "results": results}
            for row in trained:
                final[row] = runs[row]
        return final

    def fold_run(self, split: Split, settings: Configuration | None = None, n_epochs: int | None = None) -> FoldRun:
        """What a fold may read of the bank, by content, and nothing else.

        It is trained on its training rows and judged on its validation rows; with ``n_epochs`` it is trained on both, for
        so many epochs, and not judged.

        Raises
        ------
        HimoeError
            If a row it would touch is one of its test rows, or of a test subject where the protocol keeps people apart.
        """
        settings = settings or self.configurations[0]
        if n_epochs is None:
            valid = np.array(positions(self.tokens, split.valid))
            train = np.array(positions(self.tokens, split.train))
            self._check_labels(valid, split.fold)
            touched = np.concatenate([train, valid])
        else:
            valid, train = None, np.array(positions(self.tokens, split.train | split.valid))
            touched = train
        check_fit_rows(self.tokens, touched, split, self.spec.protocol)
        scaler = self.moments.scaler(train)
        initial_model = partial(self.initial_model, split.fold, scaler, train, settings)
        epochs = settings.training.epochs if n_epochs is None else n_epochs
        return FoldRun(split.fold, train, valid, scaler, epochs, initial_model)

    def initial_model(self, fold: int, scaler: Scaler, train: np.ndarray, settings: Configuration) -> nn.Module:
        """A fold's model before its first step: its weights depend on the seed and the fold alone, but for the read-out, which
        starts from the ridge solution of its training rows."""
        torch.manual_seed(np.random.SeedSequence([self.spec.seed, fold]).generate_state(1)[0].item())
        layout = self.tokens.layout
        model = build_model(self.fits.plugin, settings.model, self.spec.reference, layout, settings.training)
        if readout := getattr(model, "readout", None):
            rows = to_rows(scaler.transform(self.tokens.select(train.tolist())))
            known = np.isfinite(rows.y).all(1)
            readout.warm_start(*(torch.from_numpy(a[known].astype(np.float32)) for a in (rows.x, rows.y)))
        return model

    def _check_labels(self, valid: np.ndarray, fold: int) -> None:
        """A target nobody rated in validation would count as CCC 0 in every epoch."""
        tokens = self.tokens.select(valid.tolist())
        labelled = np.isfinite(tokens.y).any(0)
        if not labelled.all():
            target = tokens.layout.targets[int(np.argmin(labelled))]
            raise HimoeError(f"fold {fold}: no trial of its inner validation has a label of {target}; choose other splits")

    def _digests(self, trials: np.ndarray) -> list[str]:
        """Content of these trials: what was touched, not what was asked for."""
        return sorted(self.tokens.trials[i].digest for i in trials)

    def _fitted(
        self, run: FoldRun, last: FoldRun, tried: Runs, chosen: Configuration, mix: np.ndarray | None
    ) -> FittedFold:  # fmt: skip
        """The result of a fold: ``run`` chose its epoch, ``last`` left its weights (the same run where there is no refit)."""
        weights = mixed_weights(last, mix)
        assert run.valid is not None
        fitted = FittedFold(
            run.fold, last.scaler, named_weights(run.initial_model(), weights), run.history, run.best_epoch,
            n_parameters=len(weights), failed=last.failed, chosen=chosen.changes,
        )  # fmt: skip
        fitted.read = self._digests(np.append(run.train, run.valid))
        fitted.judged = self._digests(run.valid)
        fitted.tried = [
            {"changes": c.changes, "valid_ccc": max(r.best_ccc, -1.0), "best_epoch": r.best_epoch, "failed": r.failed}
            for c, r in zip(self.configurations, tried, strict=True)
        ]
        return fitted


def _restore(runs: Runs, results: list) -> None:
    for run, result in zip(runs, results, strict=True):
        run.restore(result)


def mixed_weights(run: FoldRun, mix: np.ndarray | None) -> Tensor:
    """A run's weights (P,); with ``mix`` (2, n_outputs) its network, its own ridge solution and their mixture."""
    assert run.weights is not None
    if mix is None:
        return run.weights
    return run.initial_model().mixed(run.weights, torch.from_numpy(mix).float())  # type: ignore[operator]  # a WithReadout


def named_weights(model: nn.Module, flat: Tensor) -> Arrays:
    """Weights (P,) by parameter name."""
    return {name: value.numpy() for name, value in Stack([model], torch.device("cpu")).named(flat).items()}
