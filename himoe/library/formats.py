"""Files of recordings as channels and marks. Nothing is unpickled, filtered or resampled here."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from himoe import io
from himoe.data.columns import refuse_truth
from himoe.data.door import NUMBERS, real_numbers
from himoe.signal.clock import on_grid
from himoe.types import HimoeError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Channel:
    """One recorded channel: ``data`` (n_times,) in ``unit`` (empty: not said), whose first sample stands at ``start`` s."""

    name: str
    data: np.ndarray = field(repr=False)
    sfreq: float
    unit: str
    start: float = 0.0

    @property
    def end(self) -> float:
        """When it ends, s."""
        return self.start + len(self.data) / self.sfreq


@dataclass(frozen=True)
class Mark:
    """An annotation or event: its name, onset and length, s."""

    name: str
    onset: float
    seconds: float


Content = tuple[list[Channel], list[Mark]]
TIMES = ("time", "timestamp", "t", "seconds")  # columns of a table that hold seconds
TRIAL_COLUMN = "trial"
TRIGGERS = ("status", "trigger")  # of EDF and BDF: codes, no signal
DECIMALS = 9  # of a time stamp, at most
SLOWEST = 0.5  # Hz: fewer rows a second are rather milliseconds that were taken for seconds
MAX_GAP = 2.5  # steps of a table's clock without a sample: longer is a gap
UNREADABLE = (OSError, ValueError, RuntimeError, AssertionError, LookupError, TypeError, ArithmeticError)


def read(path: Path, rate: float | None = None) -> Content:
    """Channels and marks of a file, by its name; ``rate`` (Hz) is a table's that has no column of time."""
    name = path.name.lower()
    if name.endswith((".tsv.gz", ".tsv")) and "_physio." in name:
        return _physio(path)
    for suffixes, reader in READERS.items():
        if name.endswith(suffixes):
            return reader(path, rate)
    known = ", ".join(suffix for suffixes in READERS for suffix in suffixes)
    raise HimoeError(f"{path}: no recording of a known kind; known: {known}, _physio.tsv.gz")


def _through_mne(path: Path, rate: float | None) -> Content:
    """BrainVision, FIF, in the units of the file: what MNE scales is scaled back."""
    import mne

    try:
        raw = mne.io.read_raw(path, preload=False, verbose="error")
        units, sfreq = _units(path, raw), float(raw.info["sfreq"])
        samples = real_numbers(raw.get_data(), str(path))
        rows = zip(raw.ch_names, samples, raw.get_channel_types(), units, strict=True)
        channels = [Channel(name, row / by, sfreq, unit) for name, row, kind, (unit, by) in rows if kind != "stim"]
    except UNREADABLE as error:
        raise HimoeError(f"{path}: not readable ({' '.join(str(error).split())[:200]})") from error
    found = raw.annotations
    onsets = found.onset - raw.first_time  # MNE counts from the start of the measurement, not of what is in the file
    lengths = np.where(found.duration * sfreq > 1.5, found.duration, 0.0)  # a marker of one sample says when, not how long
    marks = [Mark(str(d), float(o), float(s)) for d, o, s in zip(found.description, onsets, lengths, strict=True)]
    return channels, [*marks, *_events_beside(path)]


def _units(path: Path, raw: Any) -> list[tuple[str, float]]:
    """(unit of the file, factor by which MNE has scaled it) of each channel."""
    from mne.io.constants import FIFF

    if path.suffix.lower() == ".vhdr":  # MNE scales by more units than it names: each is as the header has it, by position
        lines = re.findall(r"^ch(\d+)=(.*)$", _as_written(path.read_bytes()), re.MULTILINE | re.IGNORECASE)
        stated = {int(n): (said.strip().split(",") + [""] * 4)[3] or "uV" for n, said in lines if "," in said}
        factors = [float(channel["range"]) for channel in raw.info["chs"]]
        return [(stated.get(i, ""), by) for i, by in enumerate(factors, start=1)]
    names = {FIFF.FIFF_UNIT_V: "V", FIFF.FIFF_UNIT_S: "S", FIFF.FIFF_UNIT_CEL: "degC"}
    return [(names.get(channel["unit"], ""), 1.0) for channel in raw.info["chs"]]


def _edf(path: Path, rate: float | None) -> Content:
    """EDF, BDF: every signal at its rate, in the unit of its header."""
    import edfio

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a file that was cut off, and of flat ranges
            file = (edfio.read_edf if path.suffix.lower() == ".edf" else edfio.read_bdf)(path, header_encoding="latin-1")
            signals: list[Any] = list(file.signals)
            labels = [_as_written(signal.label.encode("latin-1")) for signal in signals]
            units = [_as_written(signal.physical_dimension.encode("latin-1")) for signal in signals]
            rows = zip(distinct(labels), signals, units, strict=True)
            channels = [
                Channel(name, np.array(signal.data), float(signal.sampling_frequency), unit)
                for name, signal, unit in rows
                if name.lower() not in TRIGGERS
            ]
            marks = [Mark(mark.text, float(mark.onset), float(mark.duration or 0.0)) for mark in file.annotations]
    except UNREADABLE as error:
        raise HimoeError(f"{path}: not readable ({' '.join(str(error).split())[:200]})") from error
    return channels, [*marks, *_events_beside(path)]


def _as_written(header: bytes) -> str:
    """UTF-8, or where it is none Latin-1, as older devices write."""
    try:
        return header.decode("utf-8")
    except UnicodeDecodeError:
        return header.decode("latin-1")


def distinct(names: Sequence[str]) -> list[str]:
    """Names of which each is there once: a number behind those that were there several times."""
    out: list[str] = []
    for name in names:
        numbered = (f"{name}-{i}" for i in count(1))
        several = names.count(name) > 1
        out.append(next(n for n in numbered if n not in names and n not in out) if several else name)
    return out


def _table(path: Path, rate: float | None) -> Content:
    """CSV, TSV, Parquet: a column each; seconds in one named ``time``, or a rate; ``trial`` names each row's trial."""
    import pandas as pd

    try:
        separator = "\t" if path.suffix.lower() == ".tsv" else ","
        frame = (
            pd.read_parquet(path)
            if path.suffix.lower() == ".parquet"
            else pd.read_csv(path, sep=separator, float_precision="round_trip")
        )
    except UNREADABLE as error:
        raise HimoeError(f"{path}: not readable as a table ({' '.join(str(error).split())[:200]})") from error
    times = next((c for c in frame.columns if str(c).lower() in TIMES), None)
    trial = next((c for c in frame.columns if str(c).lower() == TRIAL_COLUMN), None)
    signals = frame.drop(columns=[c for c in (times, trial) if c is not None])
    if words := [c for c in signals if signals[c].dtype.kind not in NUMBERS]:
        raise HimoeError(
            f"{path}: column '{words[0]}' holds no numbers; leave it out, or name the column of trials '{TRIAL_COLUMN}'"
        )
    if times is not None:
        clock = _seconds(frame[times], path)
    elif rate:
        clock = np.arange(len(frame)) / rate
    else:
        raise HimoeError(f"{path}: neither a column '{TIMES[0]}' (s) nor a `rate` in the mapping says when samples were taken")
    channels = _on_a_clock(signals, clock, rate, path)
    return channels, [*_runs(frame[trial], clock), *_events_beside(path)] if trial is not None else _events_beside(path)


def _on_a_clock(signals: pd.DataFrame, clock: np.ndarray, rate: float | None, path: Path) -> list[Channel]:
    """Columns as channels: time stamps of their own are brought to a regular clock, gaps stay gaps; what differs from it by no
    more than time stamps are rounded to is regular."""
    steps = np.diff(clock)
    if len(clock) < 2 or not (np.isfinite(clock).all() and (steps >= 0).all() and np.median(steps) > 0):
        raise HimoeError(f"{path}: its column of time does not grow from row to row; sort it, in seconds")
    rounding = _rounding(clock)
    found = _rate(steps, rounding)
    sfreq = rate or found
    if found < SLOWEST and not 0.5 < sfreq / found < 2:
        raise HimoeError(
            f"{path}: a `rate` of {sfreq:g} Hz, and a row every {1 / found:g} s; is time in ms? Write it in seconds"
        )
    if found < SLOWEST and not rate:
        raise HimoeError(
            f"{path}: a row every {1 / found:g} s; is time in ms? Write it in seconds, or say `rate: {found:g}` in the mapping"
        )
    values, start = signals.to_numpy(np.float64).T, float(clock[0])
    if np.abs(clock - start - np.arange(len(clock)) / sfreq).max() > 0.5 / sfreq + min(rounding, 0.25 / sfreq):
        regular = start + np.rint((clock - start) * sfreq) / sfreq
        clock = regular if np.abs(regular - clock).max() <= rounding else clock
        values = on_grid(clock, values, sfreq, start, float(clock[-1]) - start + 1 / sfreq, MAX_GAP / sfreq)
    return [Channel(str(name), row, sfreq, "", start) for name, row in zip(signals.columns, values, strict=True)]


def _seconds(times: pd.Series, path: Path) -> np.ndarray:
    """A column of time as numbers (n_rows,)."""
    if times.dtype.kind not in NUMBERS:
        raise HimoeError(
            f"{path}: column '{times.name}' holds no seconds but {times.iloc[0]!s:.40}; write seconds from a start"
        )
    return times.to_numpy(np.float64)


def _rounding(clock: np.ndarray) -> float:
    """What time stamps are rounded to, s: their last decimal."""
    noise = 4 * np.finfo(float).eps * np.abs(clock).max()
    return next((10.0**-n for n in range(DECIMALS) if np.abs(np.round(clock, n) - clock).max() <= noise), 10.0**-DECIMALS)


def _rate(steps: np.ndarray, rounding: float) -> float:
    """Samples per second without the gaps: the roundest number that agrees with time stamps so rounded."""
    inside = steps <= MAX_GAP * np.median(steps)
    n_steps, seconds, n_gaps = int(inside.sum()), float(steps[inside].sum()), int((~inside).sum())
    found = n_steps / seconds
    rounds = (round(found, n) for n in range(4))
    return next((r for r in rounds if r and abs(n_steps / r - seconds) <= (n_gaps + 1) * rounding), found)


def _runs(trials: pd.Series, clock: np.ndarray) -> list[Mark]:
    """A mark for each run of rows with one name; rows without a name are in none."""
    names = trials.where(trials.notna(), "").astype(str).to_numpy()
    edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1), len(names)]
    step = float(np.median(np.diff(clock)))
    runs = [(a, b) for a, b in pairwise(edges) if names[a]]
    return [Mark(f"trial {names[a]}", float(clock[a]), float(clock[b - 1] - clock[a]) + step) for a, b in runs]


def _physio(path: Path) -> Content:
    """BIDS: columns, rate, start and units are in the JSON beside the table, which has no header."""
    import pandas as pd

    beside = path.with_name(path.name.partition(".")[0] + ".json")
    facts = io.read_json(beside) if beside.is_file() else {}
    columns, sfreq = facts.get("Columns"), facts.get("SamplingFrequency")
    if not isinstance(columns, list) or not isinstance(sfreq, int | float) or not sfreq > 0:
        raise HimoeError(f"{path}: {beside.name} beside it must say Columns and SamplingFrequency, as BIDS asks")
    try:
        frame = pd.read_csv(path, sep="\t", header=None, na_values=["n/a"], float_precision="round_trip")
        refuse_truth(frame)
        values = frame.to_numpy(np.float64).T
    except UNREADABLE as error:
        raise HimoeError(f"{path}: not readable as BIDS physio ({' '.join(str(error).split())[:200]})") from error
    if len(columns) != len(values):
        raise HimoeError(f"{path}: {len(values)} columns, {beside.name} names {len(columns)}")
    start = float(facts.get("StartTime", 0.0))
    units = [str(facts[c].get("Units", "")) if isinstance(facts.get(c), dict) else "" for c in columns]
    kept = [i for i, name in enumerate(columns) if name not in ("trigger", "time", "timestamp")]
    return [Channel(str(columns[i]), values[i], float(sfreq), units[i], start) for i in kept], _events_beside(path)


def _events_beside(path: Path) -> list[Mark]:
    """Events of the ``*_events.tsv`` that BIDS keeps beside a recording: those of its task and run."""
    import pandas as pd

    parts = path.name.partition(".")[0].split("_")[:-1]
    events = path.with_name("_".join([*(p for p in parts if not p.startswith("recording-")), "events.tsv"]))
    if not parts or not events.is_file():
        return []
    try:
        frame = pd.read_csv(events, sep="\t", na_values=["n/a"])
        names = frame["trial_type"].astype(str) if "trial_type" in frame else pd.Series(["trial"] * len(frame))
        rows = zip(names, frame["onset"].astype(float), frame["duration"].astype(float), strict=True)
    except UNREADABLE as error:
        raise HimoeError(f"{events}: no events as BIDS has them ({' '.join(str(error).split())[:200]})") from error
    return [Mark(*row) for row in rows if np.isfinite(row[1:]).all()]


READERS: dict[tuple[str, ...], Callable[[Path, float | None], Content]] = {
    (".edf", ".bdf"): _edf,
    (".vhdr", ".fif", ".fif.gz"): _through_mne,
    (".csv", ".tsv", ".parquet"): _table,
}
