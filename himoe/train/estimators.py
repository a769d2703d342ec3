"""Fits of a model that is no network: configuration and calibration by inner validation, then one fit of each fold."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from himoe import registry
from himoe.data.reader import Load, load_for_fit
from himoe.data.rows import Rows, predicted_by, to_rows
from himoe.splits.guards import check_split
from himoe.stats.calibration import calibrate
from himoe.stats.metrics import ccc
from himoe.train.results import FittedFold
from himoe.train.row_bank import Part, RowBank
from himoe.train.scaling import Arrays, Scaler
from himoe.train.timing import milliseconds
from himoe.train.tuning import Configuration, best, candidates, configuration, configure
from himoe.types import HimoeError, Split

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
        """Fit these folds, one after the other, on one copy of the rows."""
        for split in splits:
            check_split(split, self.spec.protocol)
        if not splits:
            return
        bank = RowBank(load_for_fit(self.load, self.spec, splits))
        for split in splits:
            yield [self.fit_fold(split, bank)]
            self.progress.fold(split.fold)

    def facts(self) -> dict[str, Any]:
        """Where and how they are fitted, for the run record."""
        return PLACE

    def fit_fold(self, split: Split, bank: RowBank) -> FittedFold:
        """Choose a configuration, calibrate and fit it. What is calibrated is fitted on training rows, before any refit."""
        started = time.perf_counter()
        train, valid = (bank.part(split, keys, self.spec.protocol) for keys in (split.train, split.valid))
        tried = self._search(train, valid)
        chosen = self.configurations[best([result["valid_ccc"] for result in tried]) if tried else 0]

        scaler, state = self._fit(train, chosen)
        calibration = self._calibrate(valid, scaler, state) if self.spec.training.calibration != "none" else {}
        judged = valid.digests if tried or calibration else []
        fitted_on = train
        if self.spec.training.refit:
            fitted_on = bank.part(split, split.train | split.valid, self.spec.protocol)
            scaler, state = self._fit(fitted_on, chosen)
        first = bank.tokens.select(fitted_on.trials[:1].tolist())
        ms = milliseconds(lambda: self._predict(state, to_rows(scaler.transform(first))))
        return FittedFold(
            split.fold, scaler, state, read=sorted({*judged, *fitted_on.digests}), judged=judged, tried=tried,
            chosen=chosen.changes, calibration=calibration, trial_ms=ms, seconds=time.perf_counter() - started,
            n_parameters=sum(a.size for a in state.values() if a.dtype.kind == "f"),
        )  # fmt: skip

    def _fit(self, part: Part, chosen: Configuration) -> tuple[Scaler, Arrays]:
        """A fit on these trials, and their normalisation."""
        scaler = part.scaler()
        return scaler, self.plugin.fit(part.rows(scaler), chosen.model, self.spec.seed)

    def _calibrate(self, valid: Part, scaler: Scaler, state: Arrays) -> Arrays:
        """Scale and offset of a fit's predictions, from people it was not fitted on."""
        rows = valid.rows(scaler)
        return calibrate(rows.y, self._predict(state, rows), rows.subject)

    def _predict(self, state: Arrays, rows: Rows) -> np.ndarray:
        """Predictions (n_rows, n_outputs), of which the labels are no part; HimoeError where one is no finite number."""
        predicted = predicted_by(self.plugin, state, rows.unlabelled(), rows.y.shape[1])
        if not np.isfinite(predicted).all():
            raise HimoeError(f"{self.plugin.__name__}: predict gave numbers that are not finite for rows of inner validation")
        return predicted

    def _search(self, train: Part, valid: Part) -> list[dict[str, Any]]:
        """Every configuration fitted on the training rows, judged on the validation rows; nothing where there is no choice."""
        if len(self.configurations) == 1:
            return []
        scaler = train.scaler()
        rows, held_out = train.rows(scaler), valid.rows(scaler)
        labelled = np.isfinite(held_out.y).any(0)
        if not labelled.all():
            target = valid.bank.tokens.layout.targets[int(np.argmin(labelled))]
            raise HimoeError(f"no trial of inner validation has a label of {target}; choose other splits")
        out = []
        for candidate in self.configurations:
            predicted = self._predict(self.plugin.fit(rows, candidate.model, self.spec.seed), held_out)
            pairs = [(y[np.isfinite(y)], p[np.isfinite(y)]) for y, p in zip(held_out.y.T, predicted.T, strict=True)]
            out.append({"changes": candidate.changes, "valid_ccc": float(np.mean([ccc(*pair) for pair in pairs]))})
        return out
