"""The only step that gives test rows to a fitted model: predictions of every fold on clean and perturbed inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from himoe import io, registry
from himoe.config.sections import Execution
from himoe.config.spec import FitSpec
from himoe.data.reader import Reader
from himoe.data.rows import predicted_by, to_inputs
from himoe.data.views import narrow, with_control
from himoe.evaluate.conditions import CLEAN, injected_lags, under_condition
from himoe.splits.files import folds_of, read_splits
from himoe.splits.guards import check_split, check_unseen, select
from himoe.stats.calibration import calibrated
from himoe.train.results import StoredFold, read_shard
from himoe.train.tuning import Configuration, configuration, configure
from himoe.types import HimoeError, Layout, Split, Tokens

COLUMNS = ["dataset", "protocol", "model", "seed"]
PREDICTION_COLUMNS = [
    "fold", "condition", "severity", "subject", "trial", "time", "target", "y_true", "y_pred", "y_raw", "y_reference",
]  # fmt: skip
ROUTING_COLUMNS = ["fold", "condition", "severity", "subject", "trial", "quantity", "part", "value"]
Predictor = Callable[[Tokens], tuple[np.ndarray, dict[str, np.ndarray]]]  # -> one standardised prediction per label, routing


class Conditions(NamedTuple):
    """What test trials are put through beside clean: severities by condition, and the seed of all masks and shifts."""

    severities: dict[str, list[float]]
    seed: int


def predict_files(
    spec: FitSpec, execution: Execution, tokens: Sequence[Path], splits: Path, weights: Path, record: Path,
    conditions: Conditions, recordings: Sequence[Path] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """(predictions, routing) of a shard's folds."""
    reader = Reader(tokens, spec.view, recordings)
    folds = folds_of(read_splits(splits), spec.folds)
    spec.check_record(record, io.read_json(record))
    return predict_shard(spec, execution, folds, read_shard(weights, record), reader.load, conditions)


def predict_shard(
    spec: FitSpec, execution: Execution, splits: list[Split], stored: dict[int, StoredFold],
    load: Callable[[set[str]], Tokens], conditions: Conditions,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """(predictions, routing) of these folds, from what their fits stored.

    Conditions are drawn on all modalities, whatever the model reads. The prediction of a failed fold is NaN.
    """
    plugin = registry.load("models", spec.model)
    settings = configure(plugin, spec.model, spec.options)
    predictions, routings = [], []
    for split in splits:
        fold = stored[split.fold]
        check_split(split, spec.protocol)
        check_unseen(fold.read, split.test, f"{spec.model} {spec.protocol} fold {split.fold}")
        test = select(with_control(spec.view, load({s for s, _ in split.test}), spec.seed), split.test)
        chosen = configuration(plugin, settings, spec.training, fold.chosen or {})
        predictor = _predictor(spec, execution, chosen, fold, narrow(spec.view, test).layout)
        for condition, severity, tokens in _cases(test, conditions):
            predicted, routing = predictor(unlabelled(narrow(spec.view, tokens)))
            if not (fold.failed or np.isfinite(predicted).all()):
                raise HimoeError(
                    f"{spec.model} fold {split.fold}, {condition} {severity:g}: a prediction is not a finite number, though "
                    "the fit ended well; is all input finite?"
                )
            if "lag" in routing and (lags := injected_lags(test, condition, severity, conditions.seed)) is not None:
                routing["injected"] = lags
            columns = spec.columns | {"fold": split.fold, "condition": condition, "severity": severity}
            raw, said = fold.scaler.inverse(predicted), fold.scaler.inverse(calibrated(predicted, fold.calibration or {}))
            predictions.append(_prediction_rows(tokens, said, raw, fold.scaler.y_mean).assign(**columns))
            routings += [_routing_rows(tokens, name, value).assign(**columns) for name, value in routing.items()]
    return _table(predictions, PREDICTION_COLUMNS), _table(routings, ROUTING_COLUMNS)


def _cases(test: Tokens, conditions: Conditions) -> list[tuple[str, float, Tokens]]:
    """(condition, severity, test trials under it), the clean ones first."""
    cases = [(CLEAN, 0.0, test)]
    for condition, severities in conditions.severities.items():
        perturbed = under_condition(test, condition, severities, conditions.seed)
        cases += [(condition, severity, tokens) for severity, tokens in perturbed.items()]
    return cases


def _predictor(spec: FitSpec, execution: Execution, chosen: Configuration, fold: StoredFold, layout: Layout) -> Predictor:
    """How one fold predicts."""
    if fold.failed:
        return _nothing
    if spec.is_network:
        return _network_predictor(spec, execution, chosen, fold, layout)
    plugin = registry.load("models", spec.model)

    def predict(tokens: Tokens) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        return predicted_by(plugin, fold.state, to_inputs(fold.scaler.transform(tokens)), tokens.y.shape[1]), {}

    return predict


def unlabelled(tokens: Tokens) -> Tokens:
    """As they are but for their labels, which no model is given."""
    return replace(tokens, y=np.full_like(tokens.y, np.nan))


def _nothing(tokens: Tokens) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The prediction of a fold that failed."""
    n_labels = len(tokens.y) if tokens.layout.per_token else len(tokens.trials)
    return np.full((n_labels, tokens.y.shape[1]), np.nan), {}


def _network_predictor(
    spec: FitSpec, execution: Execution, chosen: Configuration, fold: StoredFold, layout: Layout
) -> Predictor:  # fmt: skip
    """Imported where used: the code of networks is no part of an estimator's prediction."""
    import torch

    from himoe.train import devices
    from himoe.train.build import build_model, crop_tokens
    from himoe.train.stack import Stack
    from himoe.train.windows import Affine, Bank, cover, mean_per_trial, predict_tokens

    plugin = registry.load("models", spec.model)
    device, length = devices.settle(spec.training, execution), crop_tokens(layout.token_rate, spec.training)
    network = build_model(plugin, chosen.model, spec.reference, layout, spec.training)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in fold.state.items()})
    stack, affine = Stack([network], device, devices.autocast(spec.training)), Affine.of([fold.scaler], device)

    def predict(tokens: Tokens) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        bank = Bank(tokens, device)
        windows = cover(bank, [np.arange(len(tokens.trials))], length)
        predicted, routing = predict_tokens(stack, bank, affine, windows, length, routing=True)
        if not tokens.layout.per_token:
            predicted = mean_per_trial(predicted, bank)
        return predicted[0].cpu().numpy(), {name: value[0].cpu().numpy() for name, value in routing.items()}

    return predict


def _table(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*COLUMNS, *columns])


def _prediction_rows(tokens: Tokens, predicted: np.ndarray, raw: np.ndarray, y_reference: np.ndarray) -> pd.DataFrame:
    """One row per label and target, unlabelled tokens left out; ``time`` is NaN where there is one label per trial, ``y_raw``
    the prediction before calibration."""
    lengths = np.diff(tokens.offsets)
    repeats = lengths if tokens.layout.per_token else np.ones_like(lengths)
    y = tokens.y if tokens.layout.per_token else tokens.y[tokens.offsets[:-1]]
    time = tokens.time if tokens.layout.per_token else np.full(len(y), np.nan, np.float32)
    frames = []
    for i, target in enumerate(tokens.layout.targets):
        frame = pd.DataFrame({
            "subject": np.repeat([t.subject for t in tokens.trials], repeats),
            "trial": np.repeat([t.trial for t in tokens.trials], repeats),
            "time": time, "target": target, "y_true": y[:, i], "y_pred": predicted[:, i], "y_raw": raw[:, i],
            "y_reference": y_reference[i],
        })  # fmt: skip
        frames.append(frame[np.isfinite(frame["y_true"])])
    return pd.concat(frames, ignore_index=True)


def _routing_rows(tokens: Tokens, quantity: str, value: np.ndarray) -> pd.DataFrame:
    """(n_trials, ...) as rows; ``part`` is the index within the trailing axes, ``3`` or ``3/1``."""
    n_trials = len(value)
    parts = ["/".join(map(str, index)) for index in np.ndindex(value.shape[1:])]
    return pd.DataFrame({
        "subject": np.repeat([t.subject for t in tokens.trials], len(parts)),
        "trial": np.repeat([t.trial for t in tokens.trials], len(parts)),
        "quantity": quantity, "part": parts * n_trials, "value": value.reshape(-1),
    })  # fmt: skip
