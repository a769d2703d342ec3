"""DEAP's raw edition: BioSemi ``.bdf`` at 512 Hz to the arrays of the preprocessed editions, and a twin's ``.bdf`` back.

Close to the owners' recipe: 128 Hz, ocular artefacts out, 4-45 Hz, average reference, Geneva channel order, trials in the
order of the videos. They used blind source separation against ocular artefacts; here it is regression on hEOG and vEOG.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from himoe import io
from himoe.signal import cleaning
from himoe.types import HimoeError

RAW_SFREQ = 512.0
L_FREQ, H_FREQ = 4.0, 45.0
PAD_SECONDS = 2.0
VIDEO_START = 4
BIPOLAR = (("EXG1", "EXG2"), ("EXG3", "EXG4"), ("EXG5", "EXG6"), ("EXG7", "EXG8"))  # hEOG, vEOG, zEMG, tEMG
OTHERS = ("GSR1", "Resp", "Plet", "Temp")
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
    import mne

    labels, video_of = _ratings(ratings, int(path.stem[1:]), n_trials)
    _check_length(path)
    try:
        raw = mne.io.read_raw_bdf(path, stim_channel=None, preload=False, verbose="error")
    except (OSError, ValueError, RuntimeError, AssertionError, IndexError) as error:
        raise HimoeError(f"{path}: not a readable BDF file ({error}); obtain it again from its owners") from error
    wanted = [*eeg_names, *(n for pair in BIPOLAR for n in pair), *OTHERS]
    if lost := [name for name in wanted if name not in raw.ch_names]:
        raise HimoeError(f"{path}: channels absent: {', '.join(lost[:5])}")
    starts = _video_starts(raw)
    if len(starts) != n_trials:
        raise HimoeError(f"{path}: {len(starts)} video starts in the status channel, expected {n_trials}")
    unscaled = np.array([[1e6 if raw._orig_units[name] in ("uV", "µV") else 1.0] for name in OTHERS])  # MNE turned uV into V
    pad, at = round(PAD_SECONDS * sfreq), raw.info["sfreq"]
    n_times = round((before + seconds) * sfreq)
    data = np.empty((n_trials, len(eeg_names) + len(BIPOLAR) + len(OTHERS), n_times), np.float32)
    ocular = np.empty((n_trials, 2, n_times), np.float32)
    for start, video in zip(starts, video_of, strict=True):
        first = round(start - (before + PAD_SECONDS) * at)
        stop = round(start + (seconds + PAD_SECONDS) * at)
        if first < 0 or stop > raw.n_times:
            raise HimoeError(f"{path}: the recording ends within the trial of video {video + 1}")
        segment = cleaning.resample(raw.get_data(wanted, first, stop), at, sfreq)
        eeg, exg, others = np.split(segment, [len(eeg_names), len(eeg_names) + 2 * len(BIPOLAR)])
        bipolar = exg[::2] - exg[1::2]
        others *= unscaled
        both = mne.filter.filter_data(np.concatenate([eeg, bipolar[:2]]) * 1e6, sfreq, L_FREQ, H_FREQ, verbose="error")
        inside = slice(pad, pad + n_times)
        data[video] = np.concatenate([both[:-2], bipolar * 1e6, others])[:, inside]
        ocular[video] = both[-2:, inside]
    _remove_ocular(data[:, : len(eeg_names)], ocular)
    data[:, : len(eeg_names)] = cleaning.average_reference(data[:, : len(eeg_names)])
    if int(path.stem[1:]) <= LAST_TWENTE:
        gsr = data[:, -len(OTHERS)]
        data[:, -len(OTHERS)] = np.divide(1e9, gsr, out=np.zeros_like(gsr), where=gsr > 0)  # nS to ohm, 0 = not measured
    return {"data": data, "labels": labels}


def _check_length(path: Path) -> None:
    """Compare the file's size with what its header promises (header bytes, records of so many 3-byte samples); MNE reads on."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(256)
            n_signals = int(head[252:256])
            stream.seek(256 + n_signals * 216)
            n_samples = sum(int(stream.read(8)) for _ in range(n_signals))
        n_head, n_records = int(head[184:192]), int(head[236:244])
    except (OSError, ValueError) as error:
        raise HimoeError(f"{path}: not a readable BDF file ({error}); obtain it again from its owners") from error
    expected, size = n_head + n_records * n_samples * 3, path.stat().st_size
    if n_records >= 0 and size < expected:
        raise HimoeError(f"{path}: truncated ({size} of {expected} bytes); obtain it again from its owners")


def _remove_ocular(eeg: np.ndarray, ocular: np.ndarray) -> None:
    """Subtract from each trial (in place) what regression over all trials says comes from the eyes."""
    n_eeg, n_eog = eeg.shape[1], ocular.shape[1]
    weights = cleaning.eog_weights(eeg.swapaxes(0, 1).reshape(n_eeg, -1), ocular.swapaxes(0, 1).reshape(n_eog, -1))
    for trial, eog in zip(eeg, ocular, strict=True):
        trial -= weights @ eog


def _video_starts(raw: object) -> np.ndarray:
    """Samples at which the last channel, whatever its name, becomes 4 in its lower byte.

    Its name is ``Status`` up to s23 and empty after; in Geneva's files the upper bytes are set.
    """
    status = np.rint(raw.get_data([len(raw.ch_names) - 1])[0] / raw._cals[-1]).astype(np.int64) & 0xFF  # type: ignore[attr-defined]
    here = status == VIDEO_START
    return np.flatnonzero(here & ~np.concatenate([[False], here[:-1]]))


def _ratings(path: Path, participant: int, n_trials: int) -> tuple[np.ndarray, np.ndarray]:
    """(labels by video (n_trials, 4), index of the video of each trial in the order of presentation)."""
    import pandas as pd

    try:
        frame = pd.read_csv(path, encoding="utf-8-sig")
        own = frame[frame["Participant_id"] == participant].sort_values("Trial")
        trials, videos = own["Trial"].to_numpy(int), own["Experiment_id"].to_numpy(int)
        values = own[list(RATINGS)].to_numpy(float)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HimoeError(
            f"{path}: expected columns Participant_id, Trial, Experiment_id, {', '.join(RATINGS)} ({error})"
        ) from error
    whole = np.arange(1, n_trials + 1)
    if not np.array_equal(trials, whole) or not np.array_equal(np.sort(videos), whole):
        raise HimoeError(f"{path}: participant {participant}: trials or Experiment_ids are not 1..{n_trials}, each once")
    labels = np.empty((n_trials, len(RATINGS)))
    labels[videos - 1] = values
    return labels, videos - 1


def write(
    path: Path,
    data: np.ndarray,
    order: np.ndarray,
    before: float,
    eeg_names: tuple[str, ...],
    sfreq: float,
    rng: np.random.Generator,
) -> None:
    """A twin's recording: trials in ``order`` of presentation at 512 Hz with what cleaning must take away again.

    Added to the EEG: a common reference, slow drift, 50 Hz and eye movements; the channels' order, names, units and the status
    channel's quirks are those of the recording site.
    """
    from edfio import Bdf, BdfSignal

    participant = int(path.stem[1:])
    twente, factor = participant <= LAST_TWENTE, round(RAW_SFREQ / sfreq)
    n_eeg, gap = len(eeg_names), round(4 * RAW_SFREQ)
    span = 2 * gap + data.shape[-1] * factor
    n_times = int(np.ceil(len(order) * span / RAW_SFREQ) * RAW_SFREQ)
    channels = np.zeros((n_eeg + len(BIPOLAR) + len(OTHERS), n_times))
    status = np.zeros(n_times, np.int64)
    for i, video in enumerate(order):
        first = i * span + gap
        wide = np.pad(data[video], ((0, 0), (gap // factor, gap // factor)), mode="edge")
        fine = cleaning.resample(wide, sfreq, RAW_SFREQ)
        channels[:, first - gap : first - gap + span] = fine
        start = first + round(before * RAW_SFREQ)
        status[first:start], status[start : start + round(RAW_SFREQ)] = 3, VIDEO_START
        status[first + span - 2 * gap : first + span - 2 * gap + round(RAW_SFREQ)] = 5
    status[:10], status[-10:] = 1, 7
    t = np.arange(n_times) / RAW_SFREQ
    eyes = channels[n_eeg : n_eeg + 2]
    common = 5 * np.sin(2 * np.pi * 10.3 * t) + 20 * np.sin(2 * np.pi * 0.15 * t)
    weights = rng.uniform(0.05, 0.3, (n_eeg, 2))
    eeg = channels[:n_eeg] + weights @ eyes + common + 3 * np.sin(2 * np.pi * 50 * t) + rng.uniform(-2e4, 2e4, (n_eeg, 1))
    gsr = channels[-len(OTHERS)]
    channels[-len(OTHERS)] = 1e9 / gsr if twente else gsr
    site = TWENTE_ORDER if twente else eeg_names
    signals = [(name, "uV", eeg[eeg_names.index(name)]) for name in site]
    for pair, difference in zip(BIPOLAR, channels[n_eeg : n_eeg + len(BIPOLAR)], strict=True):
        half = 100 * rng.standard_normal()
        signals += [(pair[0], "uV", half + difference), (pair[1], "uV", np.full(n_times, half))]
    empty = np.zeros(n_times)
    site_units = ("nS" if twente else "Ohm", "uV", "uV", "C")
    slow = dict(zip(OTHERS, zip(site_units, channels[-len(OTHERS) :], strict=True), strict=True))
    for name in ("GSR1", "GSR2", "Erg1", "Erg2", "Resp", "Plet", "Temp"):
        signals.append((name, *slow.get(name, ("uV", empty))))
    if participant >= 29:
        signals.append(("", "uV", empty))
    written = [BdfSignal(x, RAW_SFREQ, label=n, physical_dimension=u, physical_range=_range(x)) for n, u, x in signals]
    bits = 0 if participant <= LAST_TWENTE + 1 else 0x18FF00
    whole = (-8388608, 8388607)
    label = "Status" if participant <= LAST_TWENTE + 1 else ""
    written.append(BdfSignal(status + float(bits), RAW_SFREQ, label=label, physical_dimension="Boolean", physical_range=whole))
    with io.atomic(path) as temporary:
        Bdf(written).write(temporary)


def _range(values: np.ndarray) -> tuple[float, float]:
    """A physical range that an 8-character header field can state."""
    top = max(float(np.abs(values).max()) * 1.01, 1.0)
    top = float(np.ceil(top)) if top < 1e6 else float(np.ceil(top / 1e4) * 1e4)
    return -top, top


def write_ratings(path: Path, people: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """A twin's participant_ratings.csv from each subject's labels by video and order of presentation."""
    import pandas as pd

    rows = []
    for subject, (labels, order) in people.items():
        for trial, video in enumerate(order):
            own = dict(zip(RATINGS, labels[video], strict=True))
            rows.append(
                {"Participant_id": int(subject[1:]), "Trial": trial + 1, "Experiment_id": video + 1, "Start_time": 0} | own
            )
    io.write_table(path, pd.DataFrame(rows).assign(Familiarity=3.0))
