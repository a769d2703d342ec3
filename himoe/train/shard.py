"""The fits of a shard's folds, from files to files: what the rule fit_model calls."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from himoe import registry
from himoe.config.sections import Execution, walk
from himoe.config.spec import FitSpec
from himoe.data.reader import Reader
from himoe.job import peak_mb
from himoe.provenance import environment, hash_file, hash_value
from himoe.splits.fewer import fewer_people
from himoe.splits.files import folds_of, read_splits
from himoe.train.progress import Progress
from himoe.train.results import FittedFold, write_shard
from himoe.train.tuning import candidates, configure
from himoe.types import Split

if TYPE_CHECKING:
    import torch

    from himoe.train.checkpoint import Checkpoint
    from himoe.train.estimators import EstimatorFits
    from himoe.train.networks import NetworkFits

RESUME = ".resume"  # beside the weights; no output of the workflow, which deletes those of a job that fails


def fit_shard(
    spec: FitSpec, execution: Execution, tokens: Sequence[Path], splits: Path, weights: Path, record: Path, code: Any = None,
    recordings: Sequence[Path] = (), sealed: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Fit a shard's folds and write weights and run record; ``sealed`` are the hypotheses as they stood when the fit began.

    The fit of a network that was interrupted goes on from ``.resume`` beside its weights if spec, ``code``, versions,
    device and the content of every file it may read are those it began with.
    """
    started = time.perf_counter(), time.process_time()
    folds = [fewer_people(fold, spec.people) for fold in folds_of(read_splits(splits), spec.folds)]
    inputs = {
        "code": code, "environment": environment(), "splits": hash_file(splits), "tokens": _contents(tokens, folds),
        "recordings": _contents(recordings, folds),
    }  # fmt: skip
    plugin = registry.load("models", spec.model)
    settings = configure(plugin, spec.model, spec.options)
    device = _device(spec, execution) if spec.is_network else None
    checkpoint = _checkpoint(spec, execution, device, inputs, weights.parent / RESUME) if device else None
    resumed = bool(checkpoint and checkpoint.load())
    n_epochs = spec.training.epochs * len(candidates(plugin, spec.tuning, spec.options))
    curves = _curves(weights.parent / "tensorboard", wanted=execution.tensorboard and spec.is_network, resumed=resumed)
    progress = Progress(spec.title, len(folds), n_epochs, curves)
    fits = _fits(spec, execution, device, Reader(tokens, spec.view, recordings), progress, checkpoint)
    try:
        fitted = fit_all(fits, folds, checkpoint)
    finally:
        progress.stop()
    wall, cpu = checkpoint.spent() if checkpoint else (time.perf_counter() - started[0], time.process_time() - started[1])
    facts = fits.facts() | {
        "threads": execution.threads, "resumed": resumed, "wall_seconds": round(wall, 3), "cpu_seconds": round(cpu, 3),
        "peak_mb": round(peak_mb(), 1), "model_config": [list(row) for row in walk(settings)],
    }  # fmt: skip
    write_shard(weights, record, fitted, spec.model_dump(mode="json") | inputs | facts | {"sealed": sealed})
    if checkpoint:
        checkpoint.done()
    failed = "".join(f", fold {f.fold} failed: {f.failed}" for f in fitted if f.failed)
    progress.close(f"{len(folds)} folds in {wall:.0f} s, best epochs {[f.best_epoch for f in fitted]}{failed}")


def _device(spec: FitSpec, execution: Execution) -> torch.device:
    """Where a network is fitted, with torch set up for it. Imported where used: an estimator needs no torch."""
    from himoe.train import devices

    return devices.settle(spec.training, execution)


def _checkpoint(
    spec: FitSpec, execution: Execution, device: torch.device, inputs: dict[str, Any], path: Path
) -> Checkpoint:  # fmt: skip
    """Where the fit of a network is kept while it runs; its key holds all that changes the bits of the result."""
    from himoe.train import devices
    from himoe.train.checkpoint import Checkpoint

    place = devices.describe(device, spec.training, execution) | {"peak_gpu_mb": 0, "threads": execution.threads}
    key = hash_value([spec.model_dump(mode="json"), inputs, place, execution.stack])
    return Checkpoint(path, key, execution.checkpoint_seconds)


def _fits(
    spec: FitSpec, execution: Execution, device: torch.device | None, reader: Reader, progress: Progress,
    checkpoint: Checkpoint | None,
) -> EstimatorFits | NetworkFits:  # fmt: skip
    """Imported where used: the code of networks is no part of an estimator's fit, which has no device."""
    if device:
        from himoe.train.networks import NetworkFits

        return NetworkFits(spec, execution, device, reader.load, progress, checkpoint)
    from himoe.train.estimators import EstimatorFits

    return EstimatorFits(spec, reader.load, progress)


def fit_all(fits: EstimatorFits | NetworkFits, folds: list[Split], checkpoint: Checkpoint | None) -> list[FittedFold]:
    """All folds, in their order; each set of folds that is done is handed to the checkpoint."""
    fitted = checkpoint.finished_folds() if checkpoint else []
    for fold in fitted:
        fits.progress.fold(fold.fold)
    finished = {fold.fold for fold in fitted}
    with checkpoint.handling_signals() if checkpoint else nullcontext():
        for done in fits.fit([f for f in folds if f.fold not in finished]):
            fitted += done
            if checkpoint:
                checkpoint.add_finished(done)
    return sorted(fitted, key=lambda f: f.fold)


def _curves(folder: Path, *, wanted: bool, resumed: bool) -> Path | None:
    """The folder of TensorBoard's files, where they are asked for; curves of an earlier fit are not drawn over."""
    if not (wanted and resumed):
        shutil.rmtree(folder, ignore_errors=True)
    return folder if wanted else None


def _contents(files: Sequence[Path], folds: list[Split]) -> dict[str, str]:
    """Hash of every file that a fit may read; a trial's digest would not do, for it does not cover the labels."""
    read = {subject for f in folds for part in (f.train, f.valid) for subject, _ in part}
    return {path.stem: hash_file(path) for path in sorted(files) if path.stem in read}
