"""A shard's fits from files to files: what the rule fit_model calls."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

from himoe import registry
from himoe.job import Progress, peak_mb
from himoe.provenance import environment
from himoe.settings import Training, walk
from himoe.store import Reader, read_splits, shard, write_shard
from himoe.training import configure, fit_fold


def fit(
    names: dict[str, str], tokens: list[Path], splits: str, options: dict[str, dict[str, Any]], settings: dict[str, Any],
    weights: Path, record: Path,
) -> None:  # fmt: skip
    """Fit a shard's folds; ``names`` holds dataset, protocol, model, seed and shard."""
    training = Training(**settings)
    plugin = registry.load("models", names["model"])
    if hasattr(plugin, "build"):
        import torch

        torch.set_num_threads(training.threads)
    folds = shard(read_splits(splits), int(names["shard"]), training.folds_per_job)
    label = f"{names['model']} on {names['dataset']}"
    progress = Progress(label, len(folds), training.epochs)
    started, cpu = time.perf_counter(), time.process_time()
    config, source, fitted = configure(plugin, names["model"], options["own"]), Reader(tokens), []
    for position, split in enumerate(folds):
        progress.position = position
        load = partial(source.load, forbidden={s for s, _ in split.test})
        fold = fit_fold(
            names["model"], config, options["reference"], split, load, names["protocol"], training, int(names["seed"]), progress
        )  # fmt: skip
        fitted.append(fold)
    facts = {
        **names, "seed": int(names["seed"]), "shard": int(names["shard"]), "environment": environment(), "device": "cpu",
        "threads": training.threads, "wall_seconds": round(time.perf_counter() - started, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3), "peak_mb": round(peak_mb(), 1),
        "model_config": [[k, v, what, source] for k, v, what, source in walk(config)],
    }  # fmt: skip
    write_shard(weights, record, fitted, facts)
    progress.close(f"{len(folds)} folds in {facts['wall_seconds']:.0f} s, best epochs {[f.best_epoch for f in fitted]}")
