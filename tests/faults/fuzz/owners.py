"""Readers of what data sets' owners hand out: from the folder to trials, and when these make sense."""

from __future__ import annotations

import math
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from himoe import io, registry
from himoe.data import intake
from himoe.data.twins import synthesize
from himoe.types import DatasetInfo, Size, Trial
from tests.faults.fuzz.reader import Mutations, Reader


def wrong_trials(info: DatasetInfo, size: Size) -> Callable[[list[Trial]], str]:
    """What is wrong with one subject's trials, by what the data set says of itself."""
    modalities = {modality.name: modality for modality in info.modalities}

    def wrong(trials: list[Trial]) -> str:
        if size.n_trials and len(trials) != size.n_trials:
            return f"{len(trials)} trials"
        names = [(t.session, t.trial) for t in trials]
        if len(set(names)) != len(names) or not trials:
            return f"trials {names}"
        return next(filter(None, map(wrong_trial, trials)), "")

    def wrong_trial(trial: Trial) -> str:
        low, high = info.target_range
        known = trial.targets[np.isfinite(trial.targets)]
        if trial.targets.shape[-1] != len(info.targets) or (known < low).any() or (known > high).any():
            return f"{trial.trial}: labels {trial.targets.min()} to {trial.targets.max()} of shape {trial.targets.shape}"
        if not 0 < trial.seconds <= 86400 or (
            info.seconds and size.seconds and not math.isclose(trial.seconds, size.seconds, abs_tol=1)
        ):
            return f"{trial.trial}: {trial.seconds} s"
        times = trial.target_times
        if times is not None and not (
            np.isfinite(times).all() and (np.diff(times) >= 0).all() and len(times) == len(trial.targets)
        ):
            return f"{trial.trial}: times of labels"
        for name, signal in [*trial.signals.items(), *trial.baseline.items()]:
            of = modalities[name]
            if signal.data.ndim != 2 or len(signal.data) != len(of.channels) or signal.data.dtype.kind != "f":
                return f"{trial.trial}: {name}: {signal.data.dtype} of shape {signal.data.shape}"
            if signal.sfreq != of.sfreq or not math.isfinite(signal.start):
                return f"{trial.trial}: {name}: {signal.sfreq} Hz from {signal.start} s"
            if signal.data.shape[1] / signal.sfreq > trial.seconds + abs(signal.start) + 120:
                return f"{trial.trial}: {name}: {signal.data.shape[1]} samples"
        return ""

    return wrong


def source(dataset: str, edition: str, file: str, mutations: Mutations, n_trials: int, seconds: float, n: int = 1) -> Reader:
    """A file of a data set's owners, from the folder to trials; nothing is known of it beforehand."""
    plugin = registry.load("datasets", dataset)
    size = Size(plugin.INFO.subjects[:n], n_trials, seconds)

    def write(root: Path) -> None:
        synthesize(dataset, root / "d", size, edition, 1.0, 0)

    def read(root: Path) -> list[Trial]:
        (root / "d/manifest.json").unlink(missing_ok=True)
        manifest = intake.take_in(dataset, intake.find(dataset, root / "d", edition), size, root / "unpacked")
        io.write_json(root / "m.json", manifest)
        return list(plugin.read(*intake.read_manifest(root / "m.json", size.subjects[0]), size))

    return Reader(f"d/{file}", write, read, mutations, wrong_trials(plugin.INFO, size))


def packed(reader: Reader, archive: str, mutations: Mutations) -> Reader:
    """The same with all files in a zip file."""

    def write(root: Path) -> None:
        reader.write(root)
        files = sorted(p for p in (root / "d").rglob("*") if p.is_file())
        with zipfile.ZipFile(root / archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in files:
                zipped.write(path, f"top/{path.relative_to(root / 'd')}")
        shutil.rmtree(root / "d")
        (root / "d").mkdir()
        (root / archive).rename(root / "d" / archive)

    return Reader(f"d/{archive}", write, reader.read, mutations, reader.wrong)
