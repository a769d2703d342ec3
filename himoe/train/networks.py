"""What is fitted on what: every model, every fold of a shard, best epoch by inner-validation subjects only."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from himoe import registry
from himoe.config.protocols import PROTOCOLS
from himoe.config.sections import Tuning
from himoe.data.rows import to_rows
from himoe.data.views import View
from himoe.splits.guards import check_split, check_unseen, positions
from himoe.train import devices, estimators
from himoe.train.results import Fitted
from himoe.train.scaling import Moments, Scaler
from himoe.train.tuning import best, candidates, configured
from himoe.types import BuildContext, HimoeError, Layout, Split, Tokens

if TYPE_CHECKING:
    import torch

    from himoe.config.sections import Training
    from himoe.train.checkpoint import Checkpoint
    from himoe.train.loop import Course, Trainer
    from himoe.train.progress import Progress

log = logging.getLogger("himoe")
Load = Callable[[set[str], set[str]], Tokens]


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
    if settings.readout == "none" or getattr(plugin, "RAW", False):  # there is no ridge on samples
        return model
    from himoe.nn.readout import WithReadout

    return WithReadout(model, tuple(map(len, layout.features)), ctx.n_outputs, settings.readout_penalty)


@dataclass
class Job:
    """One model's fits of one seed.

    ``load(subjects, forbidden)`` gives the tokens of the subjects named and refuses those forbidden. Every model is fitted on
    the same rows: the training subjects, or, with ``settings.refit``, training and validation subjects together; a torch model
    is then trained anew for as many epochs as inner validation chose. Targets are standardised on those rows, so that the
    reference of skill is the same for every model of a fold. Where ``tuning`` asks for several configurations, each fold is
    trained in all of them and keeps the one with the best inner-validation CCC. With a ``checkpoint`` a torch model's training
    goes on from the state it holds.
    """

    plugin: ModuleType
    config: Any
    reference: dict[str, Any]
    load: Load
    protocol: str
    settings: Training
    seed: int
    progress: Progress
    checkpoint: Checkpoint | None = None
    view: View = field(default_factory=View)
    tuning: Tuning = field(default_factory=Tuning)
    device: torch.device | None = None
    size: int = 1

    def fit(self, splits: list[Split]) -> Iterator[list[Fitted]]:
        """Fit these folds; those that were trained together come together."""
        for split in splits:
            check_split(split, self.protocol)
        if hasattr(self.plugin, "build"):
            yield from self._fit_networks(splits)
        else:
            yield from ([self._fit_estimator(split)] for split in splits)

    def _tokens(self, read: set[str], tested: set[str]) -> Tokens:
        """What the model may see of these subjects; one that is tested is none of them where subjects are kept apart."""
        forbidden = tested if PROTOCOLS[self.protocol].independent else set()
        return self.view.narrow(self.view.spoilt(self.load(read, forbidden), self.seed))

    def _fit_estimator(self, split: Split) -> Fitted:
        subjects = {s for part in (split.train, split.valid) for s, _ in part}
        tokens = self._tokens(subjects, {s for s, _ in split.test})
        fitted = estimators.fit(self.plugin, self.config, self.settings, self.tuning, tokens, split, self.seed)
        self.progress.fold(split.fold)
        return fitted

    def _fit_networks(self, splits: list[Split]) -> Iterator[list[Fitted]]:
        """As many folds side by side as fit; half as many if that turns out too many."""
        import torch

        self.device, left = devices.settle(self.settings), list(splits)
        kept = self.checkpoint.state if self.checkpoint else {}
        self.size = kept.get("size") or self._side_by_side(left)
        while left:
            kept["size"] = self.size
            if (n_together := min(self.size, len(left))) > 1:
                log.info("training %d folds side by side on %s", n_together, self.device)
            fitted = self._try(partial(self._fit_stack, left[:n_together]), n_together)
            if fitted is not None:
                yield fitted
                left = left[n_together:]
                continue
            self.size = -(-n_together // 2)
            log.warning("out of GPU memory with %d folds side by side: now %d", n_together, self.size)
            for name in ("current", "tried", "again"):
                kept.pop(name, None)
            torch.cuda.empty_cache()  # here, where no traceback holds what was tried

    def _try(self, work: Callable[[], Any], n_together: int) -> Any:
        """What ``work`` gives; None where several folds together need more memory than the GPU has."""
        import torch

        try:
            return work()
        except torch.OutOfMemoryError as error:
            if n_together > 1:
                return None
            raise HimoeError("one fold alone does not fit into the GPU's memory; lower training.batch_size") from error

    def _side_by_side(self, splits: list[Split]) -> int:
        """As the config says; on a GPU, by what one fold is seen to need there."""
        one = 0
        if splits and self.device.type == "cuda" and self.settings.stack == "auto":
            trainer, tokens, moments = self._prepare(splits[:1])
            one = self._try(partial(trainer.memory_of_one, self._course(splits[0], tokens, moments, "choose")), 1)
        return devices.side_by_side(self.settings, self.device, len(splits), one)

    def _prepare(self, splits: list[Split]) -> tuple[Trainer, Tokens, Moments]:
        """One copy of all that these folds may read; a subject that all of them test is not among it."""
        from himoe.train.loop import Trainer
        from himoe.train.windows import Bank

        read = {s for split in splits for part in (split.train, split.valid) for s, _ in part}
        tested = set.intersection(*({s for s, _ in split.test} for split in splits))
        tokens = self._tokens(read, tested)
        length = n_times(tokens.layout.token_rate, self.settings)
        bank = Bank(tokens, self.device)
        trainer = Trainer(bank, self.settings, self.seed, length, self.device, self.progress, self.checkpoint)
        return trainer, tokens, Moments.of(tokens)

    def _course(self, split: Split, tokens: Tokens, moments: Moments, phase: str, n_epochs: int = 0) -> Course:
        """What a fold may read of the bank, by content, and nothing else."""
        from himoe.train.loop import Course

        valid = np.array(positions(tokens, split.valid)) if phase == "choose" else None
        if valid is not None:
            self._check_labels(tokens.select(valid.tolist()), split.fold)
        train = np.array(positions(tokens, split.train if phase == "choose" else split.train | split.valid))
        touched = train if valid is None else np.concatenate([train, valid])
        where = f"{self.protocol} fold {split.fold}"
        check_unseen([tokens.trials[i].digest for i in touched], split.test, where)
        apart = PROTOCOLS[self.protocol].independent
        if strange := apart and {tokens.trials[i].subject for i in touched} & {s for s, _ in split.test}:
            raise HimoeError(f"leakage: {where} would be trained on test subject {sorted(strange)[0]}")
        scaler = moments.scaler(train)
        init = partial(self._init, split.fold, scaler, tokens, train)
        return Course(split.fold, train, valid, scaler, n_epochs or self.settings.epochs, init)

    def _check_labels(self, valid: Tokens, fold: int) -> None:
        """A target nobody rated in validation would count as CCC 0 in every epoch."""
        labelled = np.isfinite(valid.y).any(0)
        if not labelled.all():
            target = valid.layout.targets[int(np.argmin(labelled))]
            raise HimoeError(f"fold {fold}: no trial of its inner validation has a label of {target}; choose other splits")

    def _init(self, fold: int, scaler: Scaler, tokens: Tokens, train: np.ndarray) -> torch.nn.Module:
        """A fold's model before its first step."""
        import torch

        torch.manual_seed(np.random.SeedSequence([self.seed, fold]).generate_state(1)[0].item())
        model = build_model(self.plugin, self.config, self.reference, tokens.layout, self.settings)
        if hasattr(model, "readout"):
            rows = to_rows(scaler.transform(tokens.select(train.tolist())))
            known = np.isfinite(rows.y).all(1)
            model.readout.warm_start(*(torch.from_numpy(a[known].astype(np.float32)) for a in (rows.x, rows.y)))
        return model

    def _fit_stack(self, splits: list[Split]) -> list[Fitted]:
        """Choose each fold's configuration and epoch, then train it again on all its rows if that is asked for."""
        from himoe.train.loop import arrays

        started, folds = time.perf_counter(), [split.fold for split in splits]
        trainer, tokens, moments = self._prepare(splits)
        changes = candidates(self.plugin, self.tuning)
        jobs = [replace(self, config=c, settings=s) for c, s in (self._with(change) for change in changes)]
        trainers = [replace(trainer, settings=job.settings) for job in jobs]
        tried = [[job._course(split, tokens, moments, "choose") for split in splits] for job in jobs]
        self._choose(tried, trainers, folds)
        scores = [[-np.inf if course.failed else course.most for course in courses] for courses in tried]
        won = [best([own[row] for own in scores]) for row in range(len(splits))]
        final = [tried[n][row] for row, n in enumerate(won)]
        if self.settings.refit:
            final = self._again(splits, tokens, moments, jobs, trainers, final, won)
        seconds, fitted = (time.perf_counter() - started) / len(splits), []
        macs = {n: trainers[n].count_macs(tried[n][0]) for n in set(won)}
        for row, (split, n) in enumerate(zip(splits, won, strict=True)):
            course, last = tried[n][row], final[row]
            state = arrays(course.init(), last.kept)
            one = Fitted(split.fold, last.scaler, state, course.history, course.best, chosen=changes[n])
            one.read, one.judged = (_digests(tokens, rows) for rows in (np.append(course.train, course.valid), course.valid))
            one.n_parameters, one.n_macs, one.seconds, one.failed = len(last.kept), macs[n], seconds, last.failed
            one.tried = [
                {"changes": c, "valid_ccc": max(t[row].most, -1.0), "best_epoch": t[row].best, "failed": t[row].failed}
                for c, t in zip(changes, tried, strict=True)
            ]
            fitted.append(one)
            self.progress.fold(split.fold)
        return fitted

    def _with(self, changes: dict[str, Any]) -> tuple[Any, Training]:
        return configured(self.plugin, self.config, self.settings, changes)

    def _choose(self, tried: list[list[Course]], trainers: list[Trainer], folds: list[int]) -> None:
        """Train every fold in every configuration; those that were done before an interruption are taken as they were."""
        kept = self.checkpoint.state if self.checkpoint else {}
        done = kept.get("tried", {})
        results = done["results"] if done.get("folds") == folds else []
        for n, (courses, trainer) in enumerate(zip(tried, trainers, strict=True)):
            if n < len(results):
                for course, told in zip(courses, results[n], strict=True):
                    course.take(told)
                continue
            trainer.run(courses, f"choose {n}")
            results = [*results, [course.results() for course in courses]]
            kept["tried"] = {"folds": folds, "results": results}

    def _again(
        self, splits: list[Split], tokens: Tokens, moments: Moments, jobs: list[Job], trainers: list[Trainer],
        first: list[Course], won: list[int],
    ) -> list[Course]:  # fmt: skip
        """Each fold once more, in the configuration it chose, on training and validation rows, for as many epochs as it chose.

        All folds have a place in every configuration's stack: what is computed for one must not depend on what others chose.
        """
        final, kept = list(first), self.checkpoint.state if self.checkpoint else {}
        done = kept.get("again", {})
        results = done["results"] if done.get("folds") == [split.fold for split in splits] else {}
        for n, (job, trainer) in enumerate(zip(jobs, trainers, strict=True)):
            again = [job._course(split, tokens, moments, "refit", c.best) for split, c in zip(splits, first, strict=True)]
            for course, before, own in zip(again, first, won, strict=True):
                course.done = bool(before.failed) or own != n  # takes its place in the stack and is not trained
            if all(course.done for course in again):
                continue
            if n in results:
                for course, told in zip(again, results[n], strict=True):
                    course.take(told)
            else:
                trainer.run(again, f"refit {n}")
                results = results | {n: [course.results() for course in again]}
                kept["again"] = {"folds": [split.fold for split in splits], "results": results}
            final = [c if own == n and not b.failed else f for c, own, b, f in zip(again, won, first, final, strict=True)]
        return final


def _digests(tokens: Tokens, rows: np.ndarray) -> list[str]:
    """Of these trials: what was touched, not what was asked for."""
    return sorted(tokens.trials[i].digest for i in rows)
