"""Files of recordings as channels and marks. Nothing is unpickled, filtered or resampled here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from himoe import io
from himoe.signal.clock import on_grid
from himoe.types import HimoeError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Channel:
    """One recorded channel: ``data`` (n_times,) in ``unit`` (empty: not said), whose first sample stands at ``start`` s."""

    name: str
    data: np.ndarray
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
EDF = (".edf", ".bdf")
VOLTS: dict[str, float] = {"mV": 1e-3, "uV": 1e-6, "µV": 1e-6, "μV": 1e-6}  # what MNE scales
OF_BRAINVISION = {"nV": 1e-9, "uS": 1e-6, "µS": 1e-6}
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
    """EDF, BDF, BrainVision, FIF, in the units of the file: what MNE scales is scaled back."""
    import mne

    channels: list[Channel] = []
    try:
        for options in _groups(path):  # of one rate each: MNE would bring all channels to the highest
            raw = mne.io.read_raw(path, preload=False, verbose="error", **options)
            units, sfreq = _units(path, raw), float(raw.info["sfreq"])
            rows = zip(raw.ch_names, raw.get_data(), raw.get_channel_types(), units, strict=True)
            channels += [Channel(name, row / by, sfreq, unit) for name, row, kind, (unit, by) in rows if kind != "stim"]
    except UNREADABLE as error:
        raise HimoeError(f"{path}: not readable ({' '.join(str(error).split())[:200]})") from error
    found = raw.annotations
    onsets = found.onset - raw.first_time  # MNE counts from the start of the measurement, not of what is in the file
    marks = [Mark(str(d), float(o), float(s)) for d, o, s in zip(found.description, onsets, found.duration, strict=True)]
    return channels, [*marks, *_events_beside(path)]


def _edf_header(path: Path) -> list[Any]:
    """The signals of an EDF or BDF file (edfio), none of their samples read."""
    import edfio

    reader = edfio.read_edf if path.suffix.lower() == ".edf" else edfio.read_bdf
    return list(reader(path).signals)


def _groups(path: Path) -> list[dict[str, Any]]:
    """Which channels to read at once, as options of MNE's reader."""
    if path.suffix.lower() not in EDF:
        return [{}]
    rates: dict[float, list[str]] = {}
    for signal in _edf_header(path):
        rates.setdefault(signal.sampling_frequency, []).append(signal.label)
    return [{"include": labels} for labels in rates.values()] if len(rates) > 1 else [{}]


def _units(path: Path, raw: Any) -> list[tuple[str, float]]:
    """(unit of the file, factor by which MNE has scaled it) of each channel."""
    from mne.io.constants import FIFF

    if path.suffix.lower() in EDF:  # MNE says n/a of units that it does not know
        stated: dict[str, str] = {signal.label: str(signal.physical_dimension) for signal in _edf_header(path)}
        return [(stated.get(name, ""), VOLTS.get(stated.get(name, ""), 1.0)) for name in raw.ch_names]
    if path.suffix.lower() == ".vhdr":
        units = [raw._orig_units.get(name, "") for name in raw.ch_names]
        return [(unit, (VOLTS | OF_BRAINVISION).get(unit, 1.0)) for unit in units]
    names = {FIFF.FIFF_UNIT_V: "V", FIFF.FIFF_UNIT_S: "S", FIFF.FIFF_UNIT_CEL: "degC"}
    return [(names.get(channel["unit"], ""), 1.0) for channel in raw.info["chs"]]


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
    if words := [c for c in signals if signals[c].dtype.kind not in "fiub"]:
        raise HimoeError(
            f"{path}: column '{words[0]}' holds no numbers; leave it out, or name the column of trials '{TRIAL_COLUMN}'"
        )
    if times is not None:
        clock = frame[times].to_numpy(np.float64)
    elif rate:
        clock = np.arange(len(frame)) / rate
    else:
        raise HimoeError(f"{path}: neither a column '{TIMES[0]}' (s) nor a `rate` in the mapping says when samples were taken")
    channels = _on_a_clock(signals, clock, rate, path)
    return channels, [*_runs(frame[trial], clock), *_events_beside(path)] if trial is not None else _events_beside(path)


def _on_a_clock(signals: pd.DataFrame, clock: np.ndarray, rate: float | None, path: Path) -> list[Channel]:
    """Columns as channels: time stamps of their own are brought to a regular clock, gaps stay gaps."""
    steps = np.diff(clock)
    if len(clock) < 2 or not (np.isfinite(clock).all() and (steps >= 0).all() and np.median(steps) > 0):
        raise HimoeError(f"{path}: its column of time does not grow from row to row; sort it, in seconds")
    sfreq = rate or float(1 / np.median(steps))
    values, start = signals.to_numpy(np.float64).T, float(clock[0])
    if np.abs(clock - start - np.arange(len(clock)) / sfreq).max() > 0.5 / sfreq:
        values = on_grid(clock, values, sfreq, start, float(clock[-1]) - start + 1 / sfreq, MAX_GAP / sfreq)
    return [Channel(str(name), row, sfreq, "", start) for name, row in zip(signals.columns, values, strict=True)]


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
    (".edf", ".bdf", ".vhdr", ".fif", ".fif.gz"): _through_mne,
    (".csv", ".tsv", ".parquet"): _table,
}
