"""Open and check every recording with the reader that the workflow uses; nothing in the data folder is changed."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from himoe import registry
from himoe.config.facts import dataset_info
from himoe.config.run import Config
from himoe.data import intake
from himoe.data.door import read_trials_of
from himoe.data.sources import Recordings, dataset_folder, find
from himoe.signal.quality import PLAUSIBLE, implausible
from himoe.signal.units import units_of
from himoe.types import DatasetInfo, HimoeError, Record, Size, Trial


@dataclass(frozen=True)
class Checked:
    """One line: a data set or one of its subjects, and either what was found or the error. ``doubt``: what can be read and is
    not what a body shows."""

    dataset: str
    subject: str
    found: str
    error: str = ""
    doubt: str = ""


def datasets_in(data_root: Path) -> list[str]:
    """Real data sets that have anything in their folder."""
    names = [n for n in registry.available("datasets") if not registry.is_planted(n)]
    return [n for n in names if any(dataset_folder(data_root, n, dataset_info(n)).glob("*"))]


def verify(data_root: Path, dataset: str) -> Iterator[Checked]:
    """Compare hashes with those on record, then open every subject's recordings, one after another.

    Archives and containers are unpacked into a temporary folder (TMPDIR), never into ``data_root``.
    """
    info, size = dataset_info(dataset), Config().size(dataset)
    with tempfile.TemporaryDirectory(prefix="himoe-verify-") as scratch:
        try:
            recordings = find(dataset_folder(data_root, dataset, info), info)
            facts = intake.hash_files(recordings, size)
            known, changed = intake.compare(recordings, facts, Path("results") / dataset / intake.KEPT)
            yield from (Checked(dataset, "", "", error) for error in changed.values())
            n_known = len(facts.keys() & known.keys())
            found = f"edition {recordings.edition.name}, {len(facts)} files, {n_known} hashes on record"
            yield Checked(dataset, "", found + ("" if known else ": the first run trusts the files as they are"))
            folder, records = intake.unpack(dataset, recordings, size, Path(scratch) / "unpacked")
            if copies := _copies(recordings, facts, folder, records):
                yield Checked(dataset, "", "", copies)
        except HimoeError as error:
            yield Checked(dataset, "", "", str(error))
            return
        record_of = {record.subject: record for record in records}
        for subject in size.subjects:
            if subject in record_of:
                yield _subject(dataset, info, size, folder, record_of[subject])
            else:
                lacks = f" (no {', '.join(lacking)})" if (lacking := recordings.lacks(subject)) else ""
                yield Checked(dataset, subject, "", f"{folder}: subject {subject} is absent{lacks}; {info.access}")


def _copies(recordings: Recordings, facts: dict[str, Any], folder: Path, records: list[Record]) -> str:
    """What a run would refuse of files beside those that are read; empty if nothing."""
    try:
        intake.refuse_copies(recordings, facts, folder, records)
    except HimoeError as error:
        return str(error)
    return ""


def _subject(dataset: str, info: DatasetInfo, size: Size, folder: Path, record: Record) -> Checked:
    subject, file = record.subject, folder / record.files[0]
    n_trials, seconds = 0, 0.0
    absent: Counter[str] = Counter()
    doubtful: Counter[str] = Counter()
    try:
        for trial in read_trials_of(dataset, folder, record, size):
            if wrong := check_trial(info, trial):
                return Checked(dataset, subject, "", f"{file}: subject {subject}, trial {trial.trial}: {wrong}")
            n_trials += 1
            seconds += trial.seconds
            recorded = {name for name, signal in trial.signals.items() if np.isfinite(signal.data).any()}
            absent.update(m.name for m in info.modalities if m.name not in recorded)
            doubtful.update(doubts(info, trial))
    except HimoeError as error:
        return Checked(dataset, subject, "", str(error))
    except Exception as error:  # a reader that raises anything else has met a file it cannot read
        return Checked(dataset, subject, "", f"{file}: not readable ({type(error).__name__}: {error})")
    if not n_trials or n_trials != (size.n_trials or n_trials):
        return Checked(dataset, subject, "", f"{file}: {n_trials} trials, expected {size.n_trials or 'at least one'}")
    lacking = "".join(f", {name} absent in {n} of {n_trials} trials" for name, n in absent.items())
    doubt = "; ".join(f"{n} of {n_trials} trials: {words}" for words, n in doubtful.items())
    return Checked(dataset, subject, f"{n_trials} trials, {seconds / 60:.1f} min{lacking}", doubt=doubt)


def doubts(info: DatasetInfo, trial: Trial) -> list[str]:
    """Modalities of which most of a trial is not what a body shows: a run masks them. Another unit is the usual cause."""
    out = []
    for modality in info.modalities:
        if signal := trial.signals.get(modality.name):
            units, recorded = units_of(modality), np.isfinite(signal.data)
            for bad, known, unit in zip(implausible(np.asarray(signal.data), units), recorded, units, strict=True):
                if 2 * bad.sum() > known.sum():
                    low, high = PLAUSIBLE[unit]
                    out.append(f"{modality.name} mostly outside {low:g}..{high:g} {unit}: another unit, or no contact?")
    return out


def check_trial(info: DatasetInfo, trial: Trial) -> str:
    """What is wrong with a trial's content; empty if nothing. Gaps in signals (NaN) are left to the quality gate."""
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
    """Print a line per data set and subject; 1 if any is wrong.

    Raises
    ------
    HimoeError
        If a name is no real data set's, or there is none in ``data_root``.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 400, highlight=False)
    for name in datasets:
        registry.check("datasets", name)
        if registry.is_synthetic(name):
            raise HimoeError(f"datasets: {name} is simulated: there is nothing of it in {data_root}/")
    wanted = datasets or datasets_in(data_root)
    if not wanted:
        raise HimoeError(f"{data_root}/: no data set in it; `python -m himoe doctor` says what goes where")
    n_subjects, n_errors, n_doubts = 0, 0, 0
    for dataset in wanted:
        for checked in verify(data_root, dataset):
            n_subjects += bool(checked.subject)
            n_errors += bool(checked.error)
            n_doubts += bool(checked.doubt)
            good = Text("doubt ", "bold yellow") if checked.doubt else Text("ok    ", "green")
            state = Text("error ", "bold red") if checked.error else good
            who, doubt = f"{dataset} {checked.subject}".ljust(22), f"; {checked.doubt}" if checked.doubt else ""
            console.print(Text.assemble(state, who, checked.error or checked.found + doubt), soft_wrap=True)
    summary = f"{n_subjects} subjects looked at, {n_errors} errors" + (f", {n_doubts} doubts" if n_doubts else "")
    console.print(Text(summary, "bold red" if n_errors else "bold green"))
    return int(n_errors > 0)
