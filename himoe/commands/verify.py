"""Every recording opened and looked at with the reader that the workflow uses; nothing in the data folder is changed."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from himoe import registry
from himoe.config.facts import dataset_info
from himoe.config.run import Config
from himoe.data import intake
from himoe.data.sources import drop_zone, recognise
from himoe.types import DatasetInfo, HimoeError, Record, Size, Trial


@dataclass(frozen=True)
class Checked:
    """One line: a data set or one of its subjects, and either what was found or the error."""

    dataset: str
    subject: str
    found: str
    error: str = ""


def present(data_root: Path) -> list[str]:
    """Real data sets of which anything is in ``data_root``."""
    names = [n for n in registry.available("datasets") if not registry.is_planted(n)]
    return [n for n in names if any(drop_zone(data_root, n, dataset_info(n)).glob("*"))]


def verify(data_root: Path, dataset: str) -> Iterator[Checked]:
    """Hashes against those on record, then every subject's recordings, one after another.

    Archives and containers are unpacked into a temporary folder (TMPDIR), never into ``data_root``.
    """
    info, size = dataset_info(dataset), Config().size(dataset)
    root = drop_zone(data_root, dataset, info)
    with tempfile.TemporaryDirectory(prefix="himoe-verify-") as scratch:
        try:
            edition, folder, archives = recognise(root, info)
            facts = intake.facts_of(root, edition, folder, archives, size)
            known, changed = intake.compare(root, edition, info, facts)
            yield from (Checked(dataset, "", "", error) for error in changed.values())
            told = f"edition {edition.name}, {len(facts)} files, {len(facts.keys() & known.keys())} hashes on record"
            yield Checked(dataset, "", told + ("" if known else ": the first run trusts the files as they are"))
            folder, records = intake.unpack(dataset, root, edition, folder, archives, Path(scratch) / "unpacked", size)
        except HimoeError as error:
            yield Checked(dataset, "", "", str(error))
            return
        found = {r.subject: r for r in records}
        for subject in size.subjects:
            yield _subject(dataset, info, size, folder, subject, found.get(subject))


def _subject(dataset: str, info: DatasetInfo, size: Size, folder: Path, subject: str, record: Record | None) -> Checked:
    if record is None:
        return Checked(dataset, subject, "", f"{folder}: subject {subject} is absent; {info.access}")
    read, n_trials, seconds, empty = registry.load("datasets", dataset).read, 0, 0.0, 0
    try:
        for trial in read(folder, record, size):
            where = f"{folder / record.files[0]}: subject {subject}, trial {trial.trial}"
            if wrong := look(info, trial):
                return Checked(dataset, subject, "", f"{where}: {wrong}")
            n_trials, seconds = n_trials + 1, seconds + trial.seconds
            empty += sum(not np.isfinite(s.data).any() for s in trial.signals.values())
            empty += len(info.modalities) - len(trial.signals)
        if not n_trials or n_trials != (size.n_trials or n_trials):
            expected = size.n_trials or "at least one"
            return Checked(dataset, subject, "", f"{folder / record.files[0]}: {n_trials} trials, expected {expected}")
    except HimoeError as error:
        return Checked(dataset, subject, "", str(error))
    except Exception as error:  # a reader that raises anything else has met a file it cannot read
        return Checked(dataset, subject, "", f"{folder / record.files[0]}: not readable ({type(error).__name__}: {error})")
    lacking = f", {empty} of {n_trials * len(info.modalities)} recordings of a modality absent" if empty else ""
    return Checked(dataset, subject, f"{n_trials} trials, {seconds / 60:.1f} min{lacking}")


def look(info: DatasetInfo, trial: Trial) -> str:
    """What is wrong with a trial's content; empty if nothing. Gaps in signals (NaN) are the quality gate's matter."""
    for modality in info.modalities:
        signal = trial.signals.get(modality.name)
        if signal is None:
            continue
        if signal.data.ndim != 2 or len(signal.data) != len(modality.channels) or not signal.data.shape[1]:
            return f"{modality.name} has shape {signal.data.shape}, expected {len(modality.channels)} channels"
        if signal.sfreq != modality.sfreq:
            return f"{modality.name} at {signal.sfreq:g} Hz, expected {modality.sfreq:g}"
        if np.isinf(signal.data).any():
            return f"{modality.name} holds infinite numbers"
    low, high = info.target_range
    targets = np.asarray(trial.targets, float)
    if targets.shape[-1] != len(info.targets):
        return f"{targets.shape[-1]} labels, expected {len(info.targets)}"
    if not np.isfinite(targets).any() or (trial.target_times is None and not np.isfinite(targets).all()):
        return "a label is no number"
    if (targets < low).any() or (targets > high).any():
        return f"a label is not within {low:g}..{high:g}"
    return ""


def report(data_root: Path, datasets: list[str]) -> int:
    """Print a line per data set and subject; 1 if any is wrong, or nothing was there to look at."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 400, highlight=False)
    for name in datasets:
        registry.check("datasets", name)
        if registry.is_synthetic(name):
            raise HimoeError(f"datasets: {name} is simulated: there is nothing of it in {data_root}/")
    wanted, wrong, n = datasets or present(data_root), 0, 0
    if not wanted:
        raise HimoeError(f"{data_root}/: no data set in it; `python -m himoe doctor` says what goes where")
    for dataset in wanted:
        for checked in verify(data_root, dataset):
            wrong, n = wrong + bool(checked.error), n + bool(checked.subject)
            state = Text("error ", "bold red") if checked.error else Text("ok    ", "green")
            who = f"{dataset} {checked.subject}".ljust(22)
            console.print(Text.assemble(state, who, checked.error or checked.found), soft_wrap=True)
    console.print(Text(f"{n} subjects looked at, {wrong} errors", "bold red" if wrong else "bold green"))
    return int(wrong > 0)
