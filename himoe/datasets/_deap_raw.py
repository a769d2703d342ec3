"""DEAP's raw edition: BioSemi ``.bdf`` at 512 Hz to the arrays of the preprocessed editions, and a twin's ``.bdf`` back.

Close to the owners' recipe: 128 Hz, ocular artefacts out, 4-45 Hz, average reference, Geneva channel order, trials in the
order of the videos. They used blind source separation against ocular artefacts; here it is regression on hEOG and vEOG.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from himoe import io
from himoe.data.columns import read_columns
from himoe.signal import cleaning
from himoe.types import HimoeError

RAW_SFREQ = 512.0
L_FREQ, H_FREQ = 4.0, 45.0
PAD_SECONDS = 2.0
VIDEO_START = 4
BIPOLAR = (("EXG1", "EXG2"), ("EXG3", "EXG4"), ("EXG5", "EXG6"), ("EXG7", "EXG8"))  # hEOG, vEOG, zEMG, tEMG
OTHERS = ("GSR1", "Resp", "Plet", "Temp")
GSR_UNITS = ("nS", "Ohm")  # of Twente, of Geneva
LAST_TWENTE = 22  # s01-s22 were recorded in Twente (conductance in nS), the others in Geneva (resistance in ohm)
TWENTE_ORDER = (
    "Fp1", "AF3", "F7", "F3", "FC1", "FC5", "T7", "C3", "CP1", "CP5", "P7", "P3", "Pz", "PO3", "O1", "Oz",
    "O2", "PO4", "P4", "P8", "CP6", "CP2", "C4", "T8", "FC6", "FC2", "F4", "F8", "AF4", "Fp2", "Fz", "Cz",
)  # fmt: skip
RATINGS = ("Valence", "Arousal", "Dominance", "Liking")


def read(
    path: Path, ratings: Path, n_trials: int, before: float, seconds: float, eeg_names: tuple[str, ...], sfreq: float
) -> dict[str, np.ndarray]:
    """``data`` (n_trials, 40, n_times), uV and ohm, ordered by video, and ``labels`` (n_trials, 4) of one subject.

    Raises
    ------
    HimoeError
        With the subject's file if a channel is absent, if there are not ``n_trials`` video starts (status ``& 0xFF`` = 4), or
        if ``participant_ratings.csv`` does not list every trial.
    """
    participant = int(path.stem[1:])
    labels, video_of = _ratings(ratings, participant, n_trials)
    header = _header(path)
    raw = _open(path, eeg_names, GSR_UNITS[participant > LAST_TWENTE])
    starts = _video_starts(path, header)
    if len(starts) != n_trials:
        raise HimoeError(f"{path}: {len(starts)} video starts in the status channel, expected {n_trials}")
    pad, recorded_sfreq = round(PAD_SECONDS * sfreq), raw.info["sfreq"]
    n_eeg, n_times = len(eeg_names), round((before + seconds) * sfreq)
    data = np.empty((n_trials, n_eeg + len(BIPOLAR) + len(OTHERS), n_times), np.float32)
    ocular = np.empty((n_trials, 2, n_times), np.float32)
    for start, video in zip(starts, video_of, strict=True):
        first = round(start - (before + PAD_SECONDS) * recorded_sfreq)
        stop = round(start + (seconds + PAD_SECONDS) * recorded_sfreq)
        if first < 0 or stop > raw.n_times:
            raise HimoeError(f"{path}: the recording ends within the trial of video {video + 1}")
        channels, eog = _clean(raw, first, stop, eeg_names, sfreq)
        data[video], ocular[video] = channels[:, pad : pad + n_times], eog[:, pad : pad + n_times]
    _remove_ocular(data[:, :n_eeg], ocular)
    data[:, :n_eeg] = cleaning.average_reference(data[:, :n_eeg])
    if participant <= LAST_TWENTE:
        gsr = data[:, -len(OTHERS)]
        data[:, -len(OTHERS)] = np.divide(1e9, gsr, out=np.zeros_like(gsr), where=gsr > 0)  # nS to ohm, 0 = not measured
    return {"data": data, "labels": labels}


def _open(path: Path, eeg_names: tuple[str, ...], gsr_unit: str) -> Any:
    """The recording (``mne.io.Raw``, nothing loaded), if its header states the channels, rate and units that are assumed."""
    import mne

    electrodes = (*eeg_names, *(name for pair in BIPOLAR for name in pair))
    try:
        raw = mne.io.read_raw_bdf(path, stim_channel=None, preload=False, verbose="error")
    except (OSError, ValueError, RuntimeError, AssertionError, IndexError) as error:
        raise HimoeError(f"{path}: not a readable BDF file ({error}); obtain it again from its owners") from error
    if absent := [name for name in (*electrodes, *OTHERS) if name not in raw.ch_names]:
        raise HimoeError(f"{path}: channels absent: {', '.join(absent[:5])}")
    if raw.info["sfreq"] != RAW_SFREQ:
        raise HimoeError(f"{path}: recorded at {raw.info['sfreq']:g} Hz, expected {RAW_SFREQ:g}")
    for name in electrodes:
        if (unit := raw._orig_units[name]) not in ("uV", "µV"):
            raise HimoeError(f"{path}: channel {name} is in {unit}, expected uV")
    if {unit := raw._orig_units["GSR1"], gsr_unit} == set(GSR_UNITS):
        raise HimoeError(f"{path}: GSR1 is in {unit}, expected {gsr_unit} of this recording site")
    return raw


def _clean(raw: Any, first: int, stop: int, eeg_names: tuple[str, ...], sfreq: float) -> tuple[np.ndarray, np.ndarray]:
    """Samples ``first`` to ``stop``, resampled: channels (40, n), EEG filtered and in uV, and the filtered EOG (2, n)."""
    import mne

    names = [*eeg_names, *(name for pair in BIPOLAR for name in pair), *OTHERS]
    segment = cleaning.resample(raw.get_data(names, first, stop), raw.info["sfreq"], sfreq)
    eeg, exg, others = np.split(segment, [len(eeg_names), len(eeg_names) + 2 * len(BIPOLAR)])
    bipolar = exg[::2] - exg[1::2]
    others *= np.array([[1e6 if raw._orig_units[name] in ("uV", "µV") else 1.0] for name in OTHERS])  # MNE turned uV into V
    filtered = mne.filter.filter_data(np.concatenate([eeg, bipolar[:2]]) * 1e6, sfreq, L_FREQ, H_FREQ, verbose="error")
    return np.concatenate([filtered[:-2], bipolar * 1e6, others]), filtered[-2:]


def _header(path: Path) -> tuple[int, int, int]:
    """Bytes of the header and of a record, and samples of the last channel in one; a file that is shorter than its header says
    (records of so many 3-byte samples) is refused: MNE would read on."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(256)
            n_signals = int(head[252:256])
            stream.seek(256 + n_signals * 104)
            low, high, least, most = ([float(stream.read(8)) for _ in range(n_signals)] for _ in range(4))
            stream.seek(256 + n_signals * 216)
            n_samples = [int(stream.read(8)) for _ in range(n_signals)]
        n_head, n_records, seconds = int(head[184:192]), int(head[236:244]), float(head[244:252])
    except (OSError, ValueError) as error:
        raise HimoeError(f"{path}: not a readable BDF file ({error}); obtain it again from its owners") from error
    spans = [(b - a) * (d - c) for a, b, c, d in zip(low, high, least, most, strict=True)]
    if wrong := [i + 1 for i, span in enumerate(spans[:-1]) if not span > 0]:  # the last one is the trigger's
        raise HimoeError(f"{path}: signal {wrong[0]} has its physical or digital limits the wrong way round")
    if not n_samples or min(n_samples) < 1 or n_head < 256:
        raise HimoeError(f"{path}: not a readable BDF file (a header of {n_head} bytes); obtain it again from its owners")
    if not seconds > 0:
        raise HimoeError(f"{path}: records of {seconds:g} s; obtain it again from its owners")
    expected, size = n_head + n_records * sum(n_samples) * 3, path.stat().st_size
    if n_records >= 0 and size < expected:
        raise HimoeError(f"{path}: truncated ({size} of {expected} bytes); obtain it again from its owners")
    return n_head, 3 * sum(n_samples), n_samples[-1]


def _remove_ocular(eeg: np.ndarray, ocular: np.ndarray) -> None:
    """Subtract from EEG (n_trials, n_eeg, n_times), in place, its regression on EOG (n_trials, 2, n_times) over all trials."""
    n_eeg, n_eog = eeg.shape[1], ocular.shape[1]
    weights = cleaning.eog_weights(eeg.swapaxes(0, 1).reshape(n_eeg, -1), ocular.swapaxes(0, 1).reshape(n_eog, -1))
    for trial, eog in zip(eeg, ocular, strict=True):
        trial -= weights @ eog


def _video_starts(path: Path, header: tuple[int, int, int]) -> np.ndarray:
    """Samples at which the last channel, whatever its name, becomes 4 in its lower byte.

    Its name is ``Status`` up to s23 and empty after; in Geneva's files the upper bytes are set. The bytes are read as they are:
    a trigger has no unit, whatever range or gain the header states for it.
    """
    n_head, n_bytes, n_samples = header
    content = np.memmap(path, np.uint8, "r", n_head)
    records = content[: len(content) // n_bytes * n_bytes].reshape(-1, n_bytes)
    is_start = records[:, -3 * n_samples :: 3].ravel() == VIDEO_START
    return np.flatnonzero(is_start & ~np.concatenate([[False], is_start[:-1]]))


def _ratings(path: Path, participant: int, n_trials: int) -> tuple[np.ndarray, np.ndarray]:
    """(labels by video (n_trials, 4), index of the video of each trial in the order of presentation)."""
    frame = read_columns(path, ("Participant_id", "Trial", "Experiment_id", *RATINGS), encoding="utf-8-sig")
    rows = frame[frame["Participant_id"] == participant].sort_values("Trial")
    trials, videos, values = rows["Trial"].to_numpy(), rows["Experiment_id"].to_numpy(), rows[list(RATINGS)].to_numpy()
    whole = np.arange(1, n_trials + 1)
    if not np.array_equal(trials, whole) or not np.array_equal(np.sort(videos), whole):
        raise HimoeError(f"{path}: participant {participant}: trials or Experiment_ids are not 1..{n_trials}, each once")
    labels, video_of = np.empty((n_trials, len(RATINGS))), videos.astype(int) - 1
    labels[video_of] = values
    return labels, video_of


def write(
    path: Path,
    data: np.ndarray,
    order: np.ndarray,
    before: float,
    eeg_names: tuple[str, ...],
    sfreq: float,
    rng: np.random.Generator,
) -> None:
    """Write a twin's recording: trials in ``order`` of presentation at 512 Hz with what cleaning must take away again.

    Added to the EEG: a common reference, slow drift, 50 Hz and eye movements; the channels' order, names, units and the status
    channel's quirks are those of the recording site.
    """
    from edfio import Bdf, BdfSignal

    participant, n_eeg = int(path.stem[1:]), len(eeg_names)
    channels, status = _timeline(data, order, before, sfreq)
    eeg = _contaminate(channels[:n_eeg], channels[n_eeg : n_eeg + 2], rng)
    named = [(name, "uV", eeg[eeg_names.index(name)]) for name in (TWENTE_ORDER if participant <= LAST_TWENTE else eeg_names)]
    for pair, difference in zip(BIPOLAR, channels[n_eeg : n_eeg + len(BIPOLAR)], strict=True):
        half = 100 * rng.standard_normal()
        named += [(pair[0], "uV", half + difference), (pair[1], "uV", np.full(len(status), half))]
    named += _peripheral(channels[-len(OTHERS) :], participant)
    signals = [BdfSignal(x, RAW_SFREQ, label=n, physical_dimension=u, physical_range=_range(x)) for n, u, x in named]
    is_early = participant <= LAST_TWENTE + 1
    bits, label = (0, "Status") if is_early else (0x18FF00, "")
    limits = (-8388608, 8388607)
    signals.append(BdfSignal(status + float(bits), RAW_SFREQ, label=label, physical_dimension="Boolean", physical_range=limits))
    with io.atomic(path) as temporary:
        Bdf(signals).write(temporary)


def _timeline(data: np.ndarray, order: np.ndarray, before: float, sfreq: float) -> tuple[np.ndarray, np.ndarray]:
    """Trials (n_trials, 40, n) one after another at RAW_SFREQ, with pauses: (40, n_times), and the status (n_times,)."""
    factor, gap = round(RAW_SFREQ / sfreq), round(4 * RAW_SFREQ)
    span = 2 * gap + data.shape[-1] * factor
    n_times = int(np.ceil(len(order) * span / RAW_SFREQ) * RAW_SFREQ)
    channels, status = np.zeros((data.shape[1], n_times)), np.zeros(n_times, np.int64)
    second = round(RAW_SFREQ)
    for i, video in enumerate(order):
        first = i * span + gap
        padded = np.pad(data[video], ((0, 0), (gap // factor, gap // factor)), mode="edge")
        channels[:, first - gap : first - gap + span] = cleaning.resample(padded, sfreq, RAW_SFREQ)
        start, stop = first + round(before * RAW_SFREQ), first + span - 2 * gap
        status[first:start] = 3
        status[start : start + second] = VIDEO_START
        status[stop : stop + second] = 5
    status[:10], status[-10:] = 1, 7
    return channels, status


def _contaminate(eeg: np.ndarray, eog: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """EEG (n_eeg, n_times) in uV plus eye movements, a common reference with slow drift, 50 Hz and an offset per channel."""
    t = np.arange(eeg.shape[1]) / RAW_SFREQ
    common = 5 * np.sin(2 * np.pi * 10.3 * t) + 20 * np.sin(2 * np.pi * 0.15 * t)
    weights = rng.uniform(0.05, 0.3, (len(eeg), 2))
    return eeg + weights @ eog + common + 3 * np.sin(2 * np.pi * 50 * t) + rng.uniform(-2e4, 2e4, (len(eeg), 1))


def _peripheral(others: np.ndarray, participant: int) -> list[tuple[str, str, np.ndarray]]:
    """(label, unit, samples) of the channels beside EEG and EXG in the site's order; those without a signal are 0."""
    is_twente = participant <= LAST_TWENTE
    gsr = 1e9 / others[0] if is_twente else others[0]
    units = ("nS" if is_twente else "Ohm", "uV", "uV", "C")
    known = dict(zip(OTHERS, zip(units, (gsr, *others[1:]), strict=True), strict=True))
    empty = ("uV", np.zeros(others.shape[1]))
    out = [(name, *known.get(name, empty)) for name in ("GSR1", "GSR2", "Erg1", "Erg2", "Resp", "Plet", "Temp")]
    return [*out, ("", *empty)] if participant >= 29 else out


def _range(values: np.ndarray) -> tuple[float, float]:
    """A physical range that an 8-character header field can state."""
    top = max(float(np.abs(values).max()) * 1.01, 1.0)
    top = float(np.ceil(top)) if top < 1e6 else float(np.ceil(top / 1e4) * 1e4)
    return -top, top


def write_ratings(path: Path, people: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Write a twin's participant_ratings.csv from each subject's labels by video and order of presentation."""
    import pandas as pd

    rows = []
    for subject, (labels, order) in people.items():
        for trial, video in enumerate(order):
            about = {"Participant_id": int(subject[1:]), "Trial": trial + 1, "Experiment_id": video + 1, "Start_time": 0}
            rows.append(about | dict(zip(RATINGS, labels[video], strict=True)))
    io.write_table(path, pd.DataFrame(rows).assign(Familiarity=3.0))
