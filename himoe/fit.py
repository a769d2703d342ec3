"""A shard's fits from files to files: what the rule fit_model calls."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from himoe import registry
from himoe.checkpoint import Checkpoint
from himoe.fold import Fitted, Scaler
from himoe.job import Progress, peak_mb
from himoe.provenance import environment, hash_file, hash_value
from himoe.settings import Training, walk
from himoe.store import Reader, read_splits, shard, write_shard
from himoe.training import configure, fit_fold

log = logging.getLogger("himoe")


def fit(
    names: dict[str, str], tokens: list[Path], splits: str, options: dict[str, dict[str, Any]], settings: dict[str, Any],
    weights: Path, record: Path, code: Any = None,
) -> None:  # fmt: skip
    """Fit a shard's folds; ``names`` holds dataset, protocol, model, seed and shard.

    A fit that was interrupted goes on from ``.resume`` beside its weights if names, options, settings, ``code``, versions and
    the content of every trial are those it began with.
    """
    training = Training(**settings)
    plugin = registry.load("models", names["model"])
    if hasattr(plugin, "build"):
        import torch

        torch.set_num_threads(training.threads)
    folds = shard(read_splits(splits), int(names["shard"]), training.folds_per_job)
    label = f"{names['model']} on {names['dataset']}"
    progress = Progress(label, len(folds), training.epochs)
    config, source, fitted = configure(plugin, names["model"], options["own"]), Reader(tokens), []
    seen = {subject for f in folds for part in (f.train, f.valid) for subject, _ in part}
    # the files themselves: a trial's digest is of its input and leaves its labels out
    contents = [[p.stem, hash_file(p)] for p in sorted(tokens) if p.stem in seen]
    pace = {"checkpoint_seconds": 0}
    key = hash_value(
        [names, options, settings | pace, code, environment(), hash_file(splits), [f.fold for f in folds], contents]
    )
    checkpoint = Checkpoint(weights.parent / ".resume", key, training.checkpoint_seconds)
    resumable = hasattr(plugin, "build")
    resumed = resumable and checkpoint.load()
    finished = checkpoint.state.setdefault("finished", {})
    with checkpoint.listening() if resumable else nullcontext():
        for position, split in enumerate(folds):
            progress.position = position
            if split.fold in finished:
                fitted.append(_unpack(split.fold, finished[split.fold]))
                continue
            load = partial(source.load, forbidden={s for s, _ in split.test})
            fold = fit_fold(
                names["model"], config, options["reference"], split, load, names["protocol"], training, int(names["seed"]),
                progress, checkpoint,
            )  # fmt: skip
            fitted.append(fold)
            if resumable:
                finished[split.fold] = _pack(fold)
                checkpoint.state = {"finished": finished, "spent": checkpoint.state.get("spent", (0.0, 0.0))}
                checkpoint.offer(dict)
    wall, cpu = checkpoint.spent()
    facts = {
        **names, "seed": int(names["seed"]), "shard": int(names["shard"]), "environment": environment(), "device": "cpu",
        "threads": training.threads, "resumed": resumed, "wall_seconds": round(wall, 3),
        "cpu_seconds": round(cpu, 3), "peak_mb": round(peak_mb(), 1),
        "model_config": [[k, v, what, source] for k, v, what, source in walk(config)],
    }  # fmt: skip
    write_shard(weights, record, fitted, facts)
    checkpoint.done()
    progress.close(f"{len(folds)} folds in {facts['wall_seconds']:.0f} s, best epochs {[f.best_epoch for f in fitted]}")


def _pack(fold: Fitted) -> dict[str, Any]:
    """A finished fold as tensors, numbers and lists."""
    import torch

    facts = {k: v for k, v in vars(fold).items() if k not in ("scaler", "state")}
    arrays = {part: {k: torch.from_numpy(np.ascontiguousarray(a)) for k, a in own.items()} for part, own in _parts(fold)}
    return facts | arrays


def _unpack(number: int, packed: dict[str, Any]) -> Fitted:
    log.info("fold %d: finished before the fit was interrupted", number)
    scaler, state = ({k: t.numpy() for k, t in packed[part].items()} for part in ("scaler", "state"))
    return Fitted(**{k: v for k, v in packed.items() if k not in ("scaler", "state")}, scaler=Scaler(**scaler), state=state)


def _parts(fold: Fitted) -> list[tuple[str, dict[str, Any]]]:
    return [("scaler", vars(fold.scaler)), ("state", fold.state)]
