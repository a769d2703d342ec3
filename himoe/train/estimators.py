"""Fits of a model that is no network: configuration and calibration by inner validation, then one fit of each fold."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from himoe import registry
from himoe.data.reader import Load, load_for_fit
from himoe.data.rows import Rows, predicted_by, to_rows
from himoe.splits.guards import check_split, select
from himoe.stats.calibration import calibrate
from himoe.stats.metrics import ccc
from himoe.train.results import FittedFold
from himoe.train.scaling import Arrays, Scaler
from himoe.train.timing import milliseconds
from himoe.train.tuning import Configuration, best, candidates, configuration, configure
from himoe.types import HimoeError, Split, Tokens

if TYPE_CHECKING:
    from himoe.config.spec import FitSpec
    from himoe.train.progress import Progress

PLACE = {
    "device": "cpu", "device_name": "", "precision": "float64", "tf32": False, "capture": False, "peak_gpu_mb": 0.0, "stack": 1,
}  # fmt: skip


class EstimatorFits:
    """The fits of a shard's folds, each on its training rows, or with ``training.refit`` on those of inner validation too.

    ``load(subjects, forbidden)`` gives the tokens of these subjects and refuses those that are forbidden.
    """

    def __init__(self, spec: FitSpec, load: Load, progress: Progress):
        self.spec, self.load, self.progress = spec, load, progress
        self.plugin = registry.load("models", spec.model)
        settings = configure(self.plugin, spec.model, spec.options)
        tried = candidates(self.plugin, spec.tuning, spec.options)
        self.configurations = [configuration(self.plugin, settings, spec.training, changes) for changes in tried]

    def fit(self, splits: list[Split]) -> Iterator[list[FittedFold]]:
        """Fit these folds, one after the other."""
        for split in splits:
            check_split(split, self.spec.protocol)
        for split in splits:
            yield [self.fit_fold(split)]
            self.progress.fold(split.fold)

    def facts(self) -> dict[str, Any]:
        """Where and how they are fitted, for the run record."""
        return PLACE

    def fit_fold(self, split: Split) -> FittedFold:
        """Choose a configuration, calibrate and fit it. What is calibrated is fitted on training rows, before any refit."""
        started = time.perf_counter()
        tokens = load_for_fit(self.load, self.spec, [split])
        train, valid = select(tokens, split.train), select(tokens, split.valid)
        tried = self._search(train, valid)
        chosen = self.configurations[best([result["valid_ccc"] for result in tried]) if tried else 0]

        scaler, state = self._fit(train, chosen)
        calibration = self._calibrate(valid, scaler, state) if self.spec.training.calibration != "none" else {}
        judged = sorted(t.digest for t in valid.trials) if tried or calibration else []
        fitted_on = train
        if self.spec.training.refit:
            fitted_on = select(tokens, split.train | split.valid)
            scaler, state = self._fit(fitted_on, chosen)
        first = fitted_on.select([0])
        ms = milliseconds(lambda: self._predict(state, to_rows(scaler.transform(first))))
        read = sorted({*judged, *(t.digest for t in fitted_on.trials)})
        return FittedFold(
            split.fold, scaler, state, read=read, judged=judged, tried=tried, chosen=chosen.changes, calibration=calibration,
            n_parameters=sum(a.size for a in state.values() if a.dtype.kind == "f"), trial_ms=ms,
            seconds=time.perf_counter() - started,
        )  # fmt: skip

    def _fit(self, tokens: Tokens, chosen: Configuration) -> tuple[Scaler, Arrays]:
        """A fit on these trials, and their normalisation."""
        scaler = Scaler.fit(tokens)
        return scaler, self.plugin.fit(to_rows(scaler.transform(tokens)), chosen.model, self.spec.seed)

    def _calibrate(self, valid: Tokens, scaler: Scaler, state: Arrays) -> Arrays:
        """Scale and offset of a fit's predictions, from people it was not fitted on."""
        rows = to_rows(scaler.transform(valid))
        return calibrate(rows.y, self._predict(state, rows), rows.subject)

    def _predict(self, state: Arrays, rows: Rows) -> np.ndarray:
        """Predictions (n_rows, n_outputs), of which the labels are no part; HimoeError where one is no finite number."""
        predicted = predicted_by(self.plugin, state, rows.unlabelled(), rows.y.shape[1])
        if not np.isfinite(predicted).all():
            raise HimoeError(f"{self.plugin.__name__}: predict gave numbers that are not finite for rows of inner validation")
        return predicted

    def _search(self, train: Tokens, valid: Tokens) -> list[dict[str, Any]]:
        """Every configuration fitted on the training rows, judged on the validation rows; nothing where there is no choice."""
        if len(self.configurations) == 1:
            return []
        scaler = Scaler.fit(train)
        rows, held_out = (to_rows(scaler.transform(part)) for part in (train, valid))
        labelled = np.isfinite(held_out.y).any(0)
        if not labelled.all():
            target = valid.layout.targets[int(np.argmin(labelled))]
            raise HimoeError(f"no trial of inner validation has a label of {target}; choose other splits")
        out = []
        for candidate in self.configurations:
            predicted = self._predict(self.plugin.fit(rows, candidate.model, self.spec.seed), held_out)
            pairs = [(y[np.isfinite(y)], p[np.isfinite(y)]) for y, p in zip(held_out.y.T, predicted.T, strict=True)]
            out.append({"changes": candidate.changes, "valid_ccc": float(np.mean([ccc(*pair) for pair in pairs]))})
        return out
