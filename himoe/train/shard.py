"""A shard's fits from files to files: what the rule fit_model calls."""

from __future__ import annotations

import logging
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from himoe import registry
from himoe.config.sections import Training, Tuning, walk
from himoe.data.reader import Reader
from himoe.data.views import View
from himoe.job import peak_mb
from himoe.provenance import environment, hash_file, hash_value
from himoe.splits.files import read_splits, shard
from himoe.train import devices
from himoe.train.checkpoint import Checkpoint
from himoe.train.networks import Job, configure
from himoe.train.progress import Progress
from himoe.train.results import Fitted, write_shard
from himoe.train.scaling import Scaler
from himoe.train.tuning import candidates
from himoe.types import Split

PACE = {"checkpoint_seconds": 0, "tensorboard": False}  # another pace, or curves beside it, is no other fit
log = logging.getLogger("himoe")


def fit(
    names: dict[str, str], tokens: list[Path], splits: str, options: dict[str, dict[str, Any]], settings: dict[str, Any],
    weights: Path, record: Path, code: Any = None, view: dict[str, Any] | None = None, tuning: dict[str, Any] | None = None,
    recordings: list[Path] = (),
) -> None:  # fmt: skip
    """Fit a shard's folds; ``names`` holds dataset, protocol, model, seed and shard.

    A fit that was interrupted goes on from ``.resume`` beside its weights if names, options, settings, ``code``, versions and
    the content of every trial are those it began with.
    """
    training, plugin = Training(**settings), registry.load("models", names["model"])
    folds = shard(read_splits(splits), int(names["shard"]), training.folds_per_job)
    config, resumable = configure(plugin, names["model"], options["own"]), hasattr(plugin, "build")
    device = devices.settle(training) if resumable else None
    where = devices.describe(device, training)
    identity = {
        "options": options, "settings": settings | PACE, "code": code, "environment": environment(),
        "splits": hash_file(splits), "tokens": _contents(tokens, folds), "recordings": _contents(recordings, folds),
        "view": view or {}, "tuning": tuning or {},
    }  # fmt: skip
    key = hash_value([names, identity, [f.fold for f in folds], where["device"], where["device_name"]])
    checkpoint = Checkpoint(weights.parent / ".resume", key, training.checkpoint_seconds)
    resumed = resumable and checkpoint.load()
    n_epochs = training.epochs * len(candidates(plugin, Tuning(**tuning or {})))
    progress = Progress(_label(names), len(folds), n_epochs, _curves(weights, training, resumable, resumed))
    own = View(**view or {})
    job = Job(
        plugin, config, options["reference"], Reader(tokens, own, recordings).load, names["protocol"], training,
        int(names["seed"]), progress, checkpoint, own, Tuning(**tuning or {}),
    )  # fmt: skip
    try:
        with checkpoint.listening() if resumable else nullcontext():
            fitted = _fit(job, folds, checkpoint, resumable)
    finally:
        progress.stop()
    wall, cpu = checkpoint.spent()
    facts = {
        **names, "seed": int(names["seed"]), "shard": int(names["shard"]), **identity,
        **devices.describe(device, training), "threads": training.threads, "stack": job.size, "resumed": resumed,
        "wall_seconds": round(wall, 3), "cpu_seconds": round(cpu, 3), "peak_mb": round(peak_mb(), 1),
        "model_config": [list(row) for row in walk(config)],
    }  # fmt: skip
    write_shard(weights, record, fitted, facts)
    checkpoint.done()
    failed = "".join(f", fold {f.fold} failed: {f.failed}" for f in fitted if f.failed)
    progress.close(f"{len(folds)} folds in {wall:.0f} s, best epochs {[f.best_epoch for f in fitted]}{failed}")


def _label(names: dict[str, str]) -> str:
    """Which fit this is, for people."""
    return "{model} on {dataset}, {protocol}, seed {seed}, shard {shard}".format(**names)


def _curves(weights: Path, training: Training, trained: bool, resumed: bool) -> Path | None:
    """The folder of TensorBoard's files, where they are asked for; curves of an earlier fit are not drawn over."""
    folder = weights.parent / "tensorboard"
    if not (resumed and training.tensorboard):
        shutil.rmtree(folder, ignore_errors=True)
    return folder if trained and training.tensorboard else None


def _contents(tokens: list[Path], folds: list[Split]) -> dict[str, str]:
    """Hash of every file a fit may read: a trial's digest is of its input and leaves its labels out."""
    seen = {subject for f in folds for part in (f.train, f.valid) for subject, _ in part}
    return {p.stem: hash_file(p) for p in sorted(tokens) if p.stem in seen}


def _fit(job: Job, folds: list[Split], checkpoint: Checkpoint, resumable: bool) -> list[Fitted]:
    """All folds, in their order; each set of folds that is done is handed to the checkpoint."""
    finished = checkpoint.state.setdefault("finished", {})
    fitted = [_unpack(number, packed) for number, packed in finished.items()]
    for fold in fitted:
        job.progress.fold(fold.fold)
    for done in job.fit([f for f in folds if f.fold not in finished]):
        fitted += done
        if resumable:
            finished |= {fold.fold: _pack(fold) for fold in done}
            for name in ("current", "tried", "again"):
                checkpoint.state.pop(name, None)
            checkpoint.offer(dict)
    return sorted(fitted, key=lambda f: f.fold)


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
