"""The only step that reads test rows: predictions of every fold on clean and perturbed inputs, one file per shard."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from himoe import registry
from himoe.config.sections import Training
from himoe.data.reader import Reader
from himoe.data.rows import to_rows
from himoe.data.views import View
from himoe.splits.files import read_splits, shard
from himoe.splits.guards import check_split, check_unseen, select
from himoe.train import devices
from himoe.train.networks import build_model, configure, n_times
from himoe.train.results import Stored, read_shard
from himoe.train.tuning import configured
from himoe.types import HimoeError, Split, Tokens, TrialInfo

CLEAN = "clean"
WHOLE = View()


def perturb(tokens: Tokens, condition: str, severities: list[float], seed: int) -> dict[float, Tokens]:
    """Every severity of a condition on every trial, cropped to what the strongest one leaves valid.

    The generator depends on the seed, the condition and the trial's name, not on the model or the severity: all models
    meet the same masks and shifts, and severities are nested.
    """
    plugin = registry.load("conditions", condition)
    edge = max(plugin.margin(s, tokens.layout.token_rate) for s in severities)
    if np.diff(tokens.offsets).min() <= 2 * edge:
        raise HimoeError(
            f"conditions.{condition}: a trial of {np.diff(tokens.offsets).min()} tokens has no middle of {edge} cut"
        )
    out = {}
    for severity in severities:
        parts = []
        for i, trial in enumerate(tokens.trials):
            parts.append(_crop(plugin.apply(tokens.select([i]), severity, _generator(trial, condition, seed)), edge))
        out[severity] = Tokens.concatenate(parts)
    return out


def _generator(trial: TrialInfo, condition: str, seed: int) -> np.random.Generator:
    name = f"{trial.subject}/{trial.session}/{trial.trial}/{condition}"
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def injected(tokens: Tokens, condition: str, severity: float, seed: int) -> np.ndarray | None:
    """By how many seconds each modality was made late, (n_trials, M); None where the condition displaces nothing."""
    plugin = registry.load("conditions", condition) if condition != CLEAN else None
    if not hasattr(plugin, "injected"):
        return None
    made = (plugin.injected(tokens.select([i]), severity, _generator(t, condition, seed)) for i, t in enumerate(tokens.trials))
    return np.stack(list(made)) / tokens.layout.token_rate


def _crop(tokens: Tokens, edge: int) -> Tokens:
    """One trial without ``edge`` tokens at each end."""
    if edge == 0:
        return tokens
    inner = slice(edge, len(tokens.time) - edge)
    columns = {name: getattr(tokens, name)[inner] for name in ("x", "mask", "time", "y")}
    return replace(tokens, **columns, offsets=np.array([0, len(columns["time"])], np.int64))


def predict_shard(
    model: str, options: dict[str, dict[str, Any]], splits: list[Split], states: dict[int, Stored],
    load: Callable[[set[str]], Tokens], protocol: str, settings: Training, conditions: dict[str, list[float]],
    condition_seed: int, identity: dict[str, Any], view: View = WHOLE,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """(predictions, routing) of a shard.

    ``identity`` holds the columns dataset, protocol, model and seed; conditions are drawn on all modalities, whatever the
    model reads. What a failed fold would say is NaN.
    """
    plugin = registry.load("models", model)
    config = configure(plugin, model, options["own"])
    predictions, routings = [], []
    for split in splits:
        stored = states[split.fold]
        check_split(split, protocol)
        check_unseen(stored.read, split.test, f"{model} {protocol} fold {split.fold}")
        test = select(view.spoilt(load({s for s, _ in split.test}), identity["seed"]), split.test)
        own, _ = configured(plugin, config, settings, stored.chosen or {})
        run = _predictor(plugin, own, options["reference"], stored, view.narrow(test), settings)
        cases = {(CLEAN, 0.0): test}
        for condition, severities in conditions.items():
            cases |= {(condition, s): t for s, t in perturb(test, condition, severities, condition_seed).items()}
        for (condition, severity), tokens in cases.items():
            predicted, routing = run(view.narrow(tokens))
            if "lag" in routing and (late := injected(test, condition, severity, condition_seed)) is not None:
                routing["injected"] = late
            here = identity | {"fold": split.fold, "condition": condition, "severity": severity}
            if not (stored.failed or np.isfinite(predicted).all()):
                where = f"{model} fold {split.fold}, {condition} {severity:g}"
                raise HimoeError(
                    f"{where}: a prediction is not a finite number, though the fit ended well; is all input finite?"
                )
            said = stored.scaler.inverse(predicted)
            predictions.append(_prediction_rows(tokens, said, stored.scaler.y_mean).assign(**here))
            routings += [_routing_rows(tokens, name, value).assign(**here) for name, value in routing.items()]
    routing = pd.concat(routings, ignore_index=True) if routings else pd.DataFrame(columns=[*identity, *ROUTING_COLUMNS])
    columns = [*identity, *PREDICTION_COLUMNS]
    return pd.concat(predictions, ignore_index=True) if predictions else pd.DataFrame(columns=columns), routing


def _predictor(
    plugin: Any, config: Any, reference: dict[str, Any], stored: Stored, tokens: Tokens, settings: Training
) -> Callable[[Tokens], tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Tokens -> (one standardised prediction per label, routing per trial)."""
    if stored.failed:
        return lambda tokens: (np.full((_n_labels(tokens), tokens.y.shape[1]), np.nan), {})
    if not hasattr(plugin, "build"):
        return lambda tokens: (plugin.predict(stored.state, to_rows(stored.scaler.transform(tokens))), {})
    import torch

    from himoe.train.stack import Stack
    from himoe.train.windows import Affine, Bank, cover, mean_per_trial, predict_tokens

    device, length = devices.settle(settings), n_times(tokens.layout.token_rate, settings)
    network = build_model(plugin, config, reference, tokens.layout, settings)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in stored.state.items()})
    stack, affine = Stack([network], device, devices.autocast(settings)), Affine.of([stored.scaler], device)

    def run(tokens: Tokens) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        bank = Bank(tokens, device)
        windows = cover(bank, [np.arange(len(tokens.trials))], length)
        predicted, routing = predict_tokens(stack, bank, affine, windows, length, routing=True)
        if not tokens.layout.per_token:
            predicted = mean_per_trial(predicted, bank)
        return predicted[0].cpu().numpy(), {name: value[0].cpu().numpy() for name, value in routing.items()}

    return run


def _n_labels(tokens: Tokens) -> int:
    return len(tokens.y) if tokens.layout.per_token else len(tokens.trials)


PREDICTION_COLUMNS = [
    "fold", "condition", "severity", "subject", "trial", "time", "target", "y_true", "y_pred", "y_reference",
]  # fmt: skip
ROUTING_COLUMNS = ["fold", "condition", "severity", "subject", "trial", "quantity", "part", "value"]


def _prediction_rows(tokens: Tokens, predicted: np.ndarray, y_reference: np.ndarray) -> pd.DataFrame:
    """One row per label and target, unlabelled tokens left out; ``time`` is NaN where there is one label per trial."""
    lengths = np.diff(tokens.offsets)
    repeats = lengths if tokens.layout.per_token else np.ones_like(lengths)
    y = tokens.y if tokens.layout.per_token else tokens.y[tokens.offsets[:-1]]
    time = tokens.time if tokens.layout.per_token else np.full(len(y), np.nan, np.float32)
    frames = []
    for i, target in enumerate(tokens.layout.targets):
        frame = pd.DataFrame({
            "subject": np.repeat([t.subject for t in tokens.trials], repeats),
            "trial": np.repeat([t.trial for t in tokens.trials], repeats),
            "time": time, "target": target, "y_true": y[:, i], "y_pred": predicted[:, i], "y_reference": y_reference[i],
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


def predict_files(
    names: dict[str, str], tokens: list[Path], splits: str, options: dict[str, dict[str, Any]], settings: dict[str, Any],
    weights: Path, record: Path, conditions: dict[str, list[float]], condition_seed: int,
    view: dict[str, Any] | None = None, recordings: list[Path] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """(predictions, routing) of a shard's folds."""
    training, own = Training(**settings), View(**view or {})
    folds = shard(read_splits(splits), int(names["shard"]), training.folds_per_job)
    identity = {k: names[k] for k in ("dataset", "protocol", "model")} | {"seed": int(names["seed"])}
    return predict_shard(
        names["model"], options, folds, read_shard(weights, record), Reader(tokens, own, recordings).load,
        names["protocol"], training, conditions, condition_seed, identity, own,
    )  # fmt: skip
