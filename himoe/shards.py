"""A shard from files to files: what the rules fit_model and predict call."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from himoe import io, registry
from himoe.config import Training, walk
from himoe.job import Progress, peak_mb
from himoe.predict import predict_shard
from himoe.provenance import environment
from himoe.splits import read_splits, shard
from himoe.store import read_shard, write_shard
from himoe.training import fit_fold
from himoe.types import HimoeError, Split, Tokens

if TYPE_CHECKING:
    import pandas as pd


class Reader:
    """Tokens of subjects, each file read once; refuses a subject that a fold must not see."""

    def __init__(self, files: list[Path]):
        self.paths: dict[str, Path] = {f.stem: f for f in files}
        self.kept: dict[str, Tokens] = {}

    def load(self, subjects: set[str], forbidden: set[str] = frozenset()) -> Tokens:
        """Tokens of these subjects, in the order of their names."""
        if wrong := subjects & forbidden:
            raise HimoeError(f"leakage: a fit asked for test subject {sorted(wrong)[0]}")
        for subject in subjects - set(self.kept):
            self.kept[subject] = io.read_tokens(self.paths[subject])
        return Tokens.concatenate([self.kept[s] for s in sorted(subjects)])


def _splits(names: dict[str, str], path: str, settings: Training) -> list[Split]:
    return shard(read_splits(path), int(names["shard"]), settings.folds_per_job)


def _pin_threads(n_threads: int) -> None:
    import torch

    torch.set_num_threads(n_threads)


def fit(
    names: dict[str, str], tokens: list[Path], splits: str, options: dict[str, Any], settings: dict[str, Any],
    weights: Path, record: Path,
) -> None:  # fmt: skip
    """Fit a shard's folds; ``names`` holds dataset, protocol, model, seed and shard."""
    training = Training(**settings)
    plugin = registry.load("models", names["model"])
    if hasattr(plugin, "build"):
        _pin_threads(training.threads)
    folds = _splits(names, splits, training)
    label = f"{names['model']} on {names['dataset']}"
    progress = Progress(label, len(folds), training.epochs)
    started, cpu = time.perf_counter(), time.process_time()
    config, source, fitted = plugin.Config(**options), Reader(tokens), []
    for position, split in enumerate(folds):
        progress.position = position
        load = partial(source.load, forbidden={s for s, _ in split.test})
        fitted.append(fit_fold(names["model"], config, split, load, names["protocol"], training, int(names["seed"]), progress))
    facts = {
        **names, "seed": int(names["seed"]), "shard": int(names["shard"]), "environment": environment(), "device": "cpu",
        "threads": training.threads, "wall_seconds": round(time.perf_counter() - started, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3), "peak_mb": round(peak_mb(), 1),
        "model_config": [[k, v, what, source] for k, v, what, source in walk(config)],
        "summary": (plugin.__doc__ or "").strip().split("\n\n")[0].replace("\n", " "),
    }  # fmt: skip
    write_shard(weights, record, fitted, facts)
    progress.close(f"{len(folds)} folds in {facts['wall_seconds']:.0f} s, best epochs {[f.best_epoch for f in fitted]}")


def predict(
    names: dict[str, str], tokens: list[Path], splits: str, options: dict[str, Any], settings: dict[str, Any],
    weights: Path, record: Path, conditions: dict[str, list[float]], condition_seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """(predictions, routing) of a shard's folds."""
    training = Training(**settings)
    if hasattr(registry.load("models", names["model"]), "build"):
        _pin_threads(training.threads)
    identity = {k: names[k] for k in ("dataset", "protocol", "model")} | {"seed": int(names["seed"])}
    return predict_shard(
        names["model"], options, _splits(names, splits, training), read_shard(weights, record), Reader(tokens).load,
        names["protocol"], training, conditions, condition_seed, identity,
    )  # fmt: skip
