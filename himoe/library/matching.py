"""From a recording to the trials that a model can read: which channel is which, in which unit, when, and how often."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from himoe import registry
from himoe.library.formats import Channel, Mark
from himoe.library.inputs import Input, Inputs
from himoe.library.recording import ChannelMapping, Recording
from himoe.library.units import convert
from himoe.signal.cleaning import average_reference, resample
from himoe.signal.clock import fill_gaps, token_times
from himoe.signal.features import recipe
from himoe.signal.units import recorded_units
from himoe.types import HimoeError, Signal, Trial

# What files call a modality: names of neurokit2 (EDA, RSP, PPG, with _Raw or _Clean behind them), of BIDS physio, of devices.
# BIDS's cardiac is a pulse: that it is an ECG is for a mapping to say.
KNOWN = {
    "eeg": (), "ecg": ("ekg",), "gsr": ("eda", "scr", "skinconductance", "galvanic"),
    "bvp": ("ppg", "pulse", "plethysmograph", "plet", "cardiac"), "resp": ("rsp", "respiratory", "respiration", "breathing"),
    "temperature": ("temp", "skt", "skintemperature"), "emg": (), "eog": (), "pupil": ("pupilsize", "pupildiameter"),
}  # fmt: skip
OLD_NAMES = {"t3": "t7", "t4": "t8", "t5": "p7", "t6": "p8"}  # of the 10-20 system


@dataclass(frozen=True)
class Matched:
    """``channels``: modality -> channel of the model -> channel of the recording; ``unread``: names of the others."""

    channels: dict[str, dict[str, Channel]]
    unread: tuple[str, ...]


def match(recording: Recording, inputs: Inputs) -> Matched:
    """Which channels of a recording a model reads, by its mapping, else by their names.

    Raises
    ------
    HimoeError
        If the mapping names a modality or channel that the model does not read, if two channels are the same to it, or if it
        reads none.
    """
    found: dict[str, dict[str, Channel]] = {}
    unread = []
    for channel in recording.channels:
        said = recording.mapping.channels.get(channel.name, ChannelMapping())
        place = _as_said(recording, channel, said, inputs) if said.modality else _by_name(said.channel or channel.name, inputs)
        if place is None:
            unread.append(channel.name)
            continue
        modality, name = place
        if (other := found.setdefault(modality, {}).get(name)) is not None:
            raise HimoeError(f"{recording.name}: {other.name} and {channel.name} are both {modality} {name}; map one of them")
        found[modality][name] = channel
    if not found:
        raise HimoeError(
            f"{recording.name}: no channel that the model reads ({', '.join(m.name for m in inputs.modalities)}); say in a "
            f"mapping file which is which: {', '.join(unread[:12])}"
        )
    return Matched(found, tuple(unread))


def _folded(name: str) -> str:
    plain = re.sub(r"^eeg[ _-]+|[ _-](raw|clean|ref|le|re|avg)$", "", name.strip().lower())
    plain = re.sub(r"[^a-z0-9]", "", plain)
    return OLD_NAMES.get(plain, plain)


def _as_said(recording: Recording, channel: Channel, said: ChannelMapping, inputs: Inputs) -> tuple[str, str]:
    """Modality and channel of the model that a mapping means."""
    where = f"{recording.name}: channel {channel.name}"
    modality = _modality(said.modality, inputs, where)
    if (name := _of(modality, said.channel or channel.name)) is None:
        raise HimoeError(
            f"{where}: the model's {modality.name} has no channel '{said.channel or channel.name}'; say in the mapping which "
            f"it is: {', '.join(modality.channels[:40])}"
        )
    return modality.name, name


def _modality(said: str, inputs: Inputs, where: str) -> Input:
    """The modality that a word means; HimoeError, beginning with ``where``, if the model reads none such."""
    for m in inputs.modalities:
        if _folded(said) in (_folded(m.name), *KNOWN.get(m.name, ())):
            return m
    names = [m.name for m in inputs.modalities]
    raise HimoeError(f"{where}: the model reads no '{said}'; {registry.hint(said, names) or 'it reads ' + ', '.join(names)}")


def _of(modality: Input, name: str) -> str | None:
    """The channel of a modality that a name means; the only one that is read, whatever it is called."""
    known = {_folded(c): c for c in modality.channels}
    return known.get(_folded(name)) or _sole(modality)


def _sole(modality: Input) -> str | None:
    """The channel of a modality of which only one is there, or only the first is read (an ECG's second lead)."""
    alone = len(modality.channels) == 1 or not recipe(modality.recipe).per_channel
    return modality.channels[0] if alone else None


def _by_name(name: str, inputs: Inputs) -> tuple[str, str] | None:
    """Modality and channel that a name means by itself, if it is one of the model's, or a known word for the only channel."""
    plain = _folded(name)
    for m in inputs.modalities:
        if plain in (known := {_folded(c): c for c in m.channels}):
            return m.name, known[plain]
    for m in inputs.modalities:
        if (sole := _sole(m)) and plain in (_folded(m.name), *KNOWN.get(m.name, ())):
            return m.name, sole
    return None


def to_trials(recording: Recording, inputs: Inputs, matched: Matched) -> list[Trial]:
    """The trials of a recording as a model reads them, without labels: SI units, the model's rates, rest at negative times.

    Samples are float32, as a run keeps them.

    Raises
    ------
    HimoeError
        If a unit is not said, or of another kind than the model reads, or a reference is said of what the model does not read.
    """
    where = f"{recording.name}: reference"
    averaged = {_modality(said, inputs, where).name for said in recording.mapping.reference}
    whole = {
        m.name: _signal(recording, m, matched.channels[m.name], m.name in averaged)
        for m in inputs.modalities
        if m.name in matched.channels
    }
    marks, trials = recording.trials, []
    for i, mark in enumerate(marks):
        seconds = mark.seconds or _until(marks, i, recording) - mark.onset
        cut = {name: _cut(s, mark.onset, recording.mapping.baseline, seconds) for name, s in whole.items()}
        signals = {name: s for name, s in cut.items() if s is not None}
        nothing = np.full(len(inputs.targets), np.nan)
        trials.append(Trial(recording.name, "1", mark.name, mark.name, seconds, signals, nothing))
    return trials


def long_enough(recording: Recording, inputs: Inputs, trials: list[Trial]) -> tuple[list[Trial], list[str]]:
    """Trials that hold a token's window, and the names of the others; HimoeError if there is none."""
    kept = [t for t in trials if len(token_times(t.seconds, inputs.token_rate, inputs.token_window))]
    if not kept:
        raise HimoeError(
            f"{recording.name}: every trial is shorter than a window of {inputs.token_window:g} s; say in a mapping file which "
            "marks are trials"
        )
    return kept, [t.trial for t in trials if t.trial not in {k.trial for k in kept}]


def _until(marks: list[Mark], i: int, recording: Recording) -> float:
    """Where a trial ends of which only the onset is marked: at the next one, or with the recording."""
    return marks[i + 1].onset if i + 1 < len(marks) else max(c.end for c in recording.channels)


def _signal(recording: Recording, modality: Input, channels: dict[str, Channel], averaged: bool) -> Signal:
    """One modality of the whole recording: (n_chans, n_times) in the model's order; NaN where a channel was not recorded.
    ``start`` is on the recording's clock."""
    rows = {}
    for name, channel in channels.items():
        where = f"{recording.name}: channel {channel.name}"
        unit = recorded_units(modality.facts)[modality.channels.index(name)] or modality.unit
        rows[name] = _at_rate(convert(channel.data, channel.unit, unit, where), channel.sfreq, modality.sfreq)
    n_times = min(map(len, rows.values()))
    data = np.stack([rows[c][:n_times] if c in rows else np.full(n_times, np.nan) for c in modality.channels])
    if averaged:
        there = [i for i, c in enumerate(modality.channels) if c in rows]
        data[there] = average_reference(data[there])
    return Signal(data.astype(np.float32), modality.sfreq, next(iter(channels.values())).start)


def _at_rate(data: np.ndarray, sfreq: float, wanted: float) -> np.ndarray:
    """Samples at another rate; what was not recorded stays so."""
    if abs(sfreq - wanted) < 1e-6 * wanted:
        return data
    there = np.isfinite(data)
    out = resample(fill_gaps(data[None]), sfreq, wanted)[0]
    if not there.all():
        at = np.minimum(np.rint(np.arange(len(out)) * sfreq / wanted).astype(np.int64), len(data) - 1)
        out = np.where(there[at], out, np.nan)
    return out


def _cut(signal: Signal, onset: float, baseline: float, seconds: float) -> Signal | None:
    """A trial and the rest before it; None where nothing of it was recorded."""
    zero = round((onset - signal.start) * signal.sfreq)
    first = max(zero - round(baseline * signal.sfreq), 0)
    last = min(zero + round(seconds * signal.sfreq), signal.data.shape[1])
    if last <= max(first, zero):
        return None
    return Signal(signal.data[:, first:last], signal.sfreq, (first - zero) / signal.sfreq)
