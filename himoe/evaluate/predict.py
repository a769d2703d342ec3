"""The only step that gives test rows to a fitted model: predictions of every fold on clean and perturbed inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from himoe import io, registry
from himoe.config.sections import Execution
from himoe.config.spec import FitSpec, View
from himoe.data.reader import Reader
from himoe.data.tokens import read_tokens
from himoe.data.views import narrow, with_control
from himoe.evaluate.conditions import Case, Conditions, cases, injected_lags
from himoe.evaluate.outages import SHARE, around, spans_of
from himoe.evaluate.predictor import Predicted, Predictor, predictor_of, unlabelled
from himoe.names import CLEAN, STUDIED
from himoe.splits.files import folds_of, read_splits
from himoe.splits.guards import check_split, check_unseen, select
from himoe.stats.calibration import calibrated
from himoe.train.results import StoredFold, read_shard
from himoe.train.tuning import configuration, configure
from himoe.types import HimoeError, Split, Tokens

COLUMNS = ["dataset", "protocol", "model", "seed"]
PREDICTION_COLUMNS = [
    "fold", "condition", "severity", "perturbed", "subject", "trial", "time", "target", "y_true", "y_pred", "y_raw",
    "y_reference",
]  # fmt: skip
REPRESENTATION = "representation"
ROUTING_COLUMNS = ["fold", "condition", "severity", "subject", "trial", "quantity", "part", "value"]


PASS_VALUES = 1 << 20  # features that are predicted from in one pass, 4 MB: what is larger costs more than it spares


def predict_files(
    spec: FitSpec, execution: Execution, tokens: Sequence[Path], splits: Path, weights: Path, record: Path,
    conditions: Conditions, recordings: Sequence[Path] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """(predictions, routing) of a shard's folds; every file is read once for all of them and all conditions."""
    folds = folds_of(read_splits(splits), spec.folds)
    if spec.view.samples:
        read, of_features = cache(read_tokens), spec.view.model_copy(update={"samples": 0})
        load, features = Reader(tokens, spec.view, recordings, read).load, Reader(tokens, of_features, read=read).load
    else:
        load, features = Reader(tokens, spec.view).load, None
    spec.check_record(record, io.read_json(record))
    return predict_shard(spec, execution, folds, read_shard(weights, record), load, conditions, features)


def predict_shard(
    spec: FitSpec, execution: Execution, splits: list[Split], stored: dict[int, StoredFold],
    load: Callable[[set[str]], Tokens], conditions: Conditions, features: Callable[[set[str]], Tokens] | None = None,
    represents: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """(predictions, routing) of these folds, from what their fits stored.

    Conditions are drawn from the features of all modalities (``features`` loads them, where ``load`` gives others), whatever
    the model reads and a control changes. The prediction of a failed fold is NaN. ``perturbed`` is :attr:`Case.digest`.
    ``represents``: also keep how the studied model represents the trials of inner validation.
    """
    plugin = registry.load("models", spec.model)
    settings = configure(plugin, spec.model, spec.options)
    predictions, routings = [], []
    for split in splits:
        fold = stored[split.fold]
        check_split(split, spec.protocol)
        check_unseen(fold.read, split.test, f"{spec.model} {spec.protocol} fold {split.fold}")
        test = select(with_control(spec.view, load(subjects := {s for s, _ in split.test}), spec.seed), split.test)
        recorded = test if features is None and not spec.view.control else select((features or load)(subjects), split.test)
        chosen = configuration(plugin, settings, spec.training, fold.chosen or {})
        predictor = predictor_of(spec, execution, chosen, fold, narrow(spec.view, test).layout)
        for case, (predicted, routing) in _predicted(cases(test, recorded, conditions), predictor.predict, spec.view):
            if not (fold.failed or np.isfinite(predicted).all()):
                raise HimoeError(
                    f"{spec.model} fold {split.fold}, {case.condition} {case.severity:g}: a prediction is not a finite number, "
                    "though the fit ended well; is all input finite?"
                )
            of = spec.columns | {"fold": split.fold, "condition": case.condition, "severity": case.severity}
            raw, said = fold.scaler.inverse(predicted), fold.scaler.inverse(calibrated(predicted, fold.calibration or {}))
            predictions.append(_prediction_rows(of | {"perturbed": case.digest}, case.tokens, said, raw, fold.scaler.y_mean))
            routing = _with_what_was_done(case, routing, predictor, test, recorded, spec.view, conditions.seed)
            routings += [_routing_rows(of, case.tokens, name, value) for name, value in routing.items()]
        if represents and spec.model == STUDIED and not fold.failed:
            others = select(load({s for s, _ in split.valid}), split.valid)
            shown = predictor.predict(unlabelled(narrow(spec.view, others)))[1][REPRESENTATION]
            of = spec.columns | {"fold": split.fold, "condition": CLEAN, "severity": 0.0}
            routings.append(_routing_rows(of, others, f"{REPRESENTATION}_of_validation", shown))
    return _table(predictions, PREDICTION_COLUMNS), _table(routings, ROUTING_COLUMNS)


def _with_what_was_done(
    case: Case, routing: dict[str, np.ndarray], predictor: Predictor, test: Tokens, recorded: Tokens, view: View, seed: int
) -> dict[str, np.ndarray]:  # fmt: skip
    """Routing in a case, with what was done to the trials that it is to be held against: the lags that were injected, and over
    an outage the shares of what is lost, step by step. How trials are represented is kept of clean ones alone."""
    if case.condition != CLEAN:
        routing = {name: value for name, value in routing.items() if name != REPRESENTATION}
    if "lag" in routing and (lags := injected_lags(recorded, case.condition, case.severity, seed)) is not None:
        routing = routing | {"injected": lags}
    spans = spans_of(recorded, case.condition, case.severity) if SHARE in routing and case.condition != CLEAN else None
    if spans and predictor.shares:
        there, clean = narrow(view, case.tokens), narrow(view, test)
        shares, as_clean = (predictor.shares(unlabelled(tokens)) for tokens in (there, clean))
        routing = routing | around(shares, as_clean, there, clean, spans)
    return routing


def _predicted(under: Iterator[Case], predict: Callable[[Tokens], Predicted], view: View) -> Iterator[tuple[Case, Predicted]]:
    """Every case, the clean one first, with what is predicted in it. As many as fit into :data:`PASS_VALUES` are predicted in
    one pass; one that is as the clean one, at severity 0, is not predicted again."""
    clean = next(under)
    x, mask, shown = clean.tokens.x, clean.tokens.mask, unlabelled(narrow(view, clean.tokens))
    as_clean = predict(shown)
    yield clean, as_clean
    while some := list(islice(under, max(1, PASS_VALUES // max(shown.x.size, 1)))):
        is_new = [case.tokens.x is not x or case.tokens.mask is not mask for case in some]
        new = [unlabelled(narrow(view, case.tokens)) for case, new in zip(some, is_new, strict=True) if new]
        parts = _apart(predict(Tokens.concatenate(new)), len(new)) if new else iter(())
        yield from ((case, next(parts) if new else as_clean) for case, new in zip(some, is_new, strict=True))


def _apart(together: Predicted, n_cases: int) -> Iterator[Predicted]:
    """What was predicted in one pass, case by case: each has as many labels and trials as any other."""
    predicted, routing = np.split(together[0], n_cases), {k: np.split(v, n_cases) for k, v in together[1].items()}
    return ((predicted[i], {name: value[i] for name, value in routing.items()}) for i in range(n_cases))


def _table(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*COLUMNS, *columns])


def _prediction_rows(
    of: dict[str, Any], tokens: Tokens, predicted: np.ndarray, raw: np.ndarray, y_reference: np.ndarray
) -> pd.DataFrame:
    """One row per target and label, unlabelled tokens left out; ``time`` is NaN where there is one label per trial, ``y_raw``
    the prediction before calibration. ``of``: columns that are equal in all rows."""
    lengths, n_targets = np.diff(tokens.offsets), len(tokens.layout.targets)
    repeats = lengths if tokens.layout.per_token else np.ones_like(lengths)
    y = tokens.y if tokens.layout.per_token else tokens.y[tokens.offsets[:-1]]
    time = tokens.time if tokens.layout.per_token else np.full(len(y), np.nan, np.float32)
    trial = np.tile(np.repeat(np.arange(len(repeats)), repeats), n_targets)  # (n_targets n_labels,), targets one after another
    target = np.repeat(np.arange(n_targets), len(y))
    kept = np.isfinite(y.T.ravel())
    columns = {
        "subject": _names([t.subject for t in tokens.trials], trial), "trial": _names([t.trial for t in tokens.trials], trial),
        "time": np.tile(time, n_targets), "target": _names(tokens.layout.targets, target), "y_true": y.T.ravel(),
        "y_pred": predicted.T.ravel(), "y_raw": raw.T.ravel(), "y_reference": y_reference[target],
    }  # fmt: skip
    return pd.DataFrame(of | {name: column[kept] for name, column in columns.items()})


def _routing_rows(of: dict[str, Any], tokens: Tokens, quantity: str, value: np.ndarray) -> pd.DataFrame:
    """(n_trials, ...) as rows; ``part`` is the index within the trailing axes, ``3`` or ``3/1``. ``of`` as above."""
    n_trials = len(value)
    parts = ["/".join(map(str, index)) for index in np.ndindex(value.shape[1:])]
    trial = np.repeat(np.arange(n_trials), len(parts))
    return pd.DataFrame(of | {"quantity": quantity} | {
        "subject": _names([t.subject for t in tokens.trials], trial), "trial": _names([t.trial for t in tokens.trials], trial),
        "part": parts * n_trials, "value": value.reshape(-1),
    })  # fmt: skip


def _names(names: Sequence[str], at: np.ndarray) -> np.ndarray:
    return np.array(names, object)[at]
