"""DREAMER v1.0.2 (Katsigiannis & Ramzan 2018): one MATLAB v5 file ``DREAMER.mat``.

``DREAMER.Data{1x23}`` holds per subject ``EEG`` and ``ECG`` with ``baseline`` and ``stimuli`` {18x1}, time-major arrays
[M x 14] at 128 Hz and [M x 2] at 256 Hz, and integer scores 1..5. Clips differ in length: the last 60 s are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from himoe.data.matfile import LeafPath, walk
from himoe.data.matfile_write import write_compressed
from himoe.data.processes import in_processes
from himoe.data.recordings import read_trials, write_trials
from himoe.signal import simulate
from himoe.signal.eeg import DELTA_BANDS
from himoe.types import DatasetInfo, Edition, HimoeError, Modality, Record, Signal, Size, Trial

EEG_SFREQ, ECG_SFREQ = 128.0, 256.0
SCORES = ("ScoreValence", "ScoreArousal", "ScoreDominance")
TWIN_BASELINE_SECONDS = 10.0
UNEVEN_SECONDS = 1.0  # by which EEG and ECG of a recording, or two baselines, may differ
MICRO, MILLI = 1e-6, 1e-3
INFO = DatasetInfo(
    title="DREAMER",
    citation="Katsigiannis & Ramzan, DREAMER: A Database for Emotion Recognition Through EEG and ECG, IEEE JBHI 22(1), 2018",
    licence="end-user licence, no redistribution",
    access="request DREAMER.mat from its authors (Zenodo record of DREAMER, restricted) and place it in this folder",
    editions=(Edition("matlab", ("DREAMER.mat",), ("DREAMER*.zip",)),),
    subjects=(
        "s01", "s02", "s03", "s04", "s05", "s06", "s07", "s08", "s09", "s10", "s11", "s12",
        "s13", "s14", "s15", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23",
    ),
    n_trials=18,
    seconds=60.0,
    modalities=(
        Modality(
            "eeg",
            ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4"),
            128.0, "V", "eeg_de_delta",
        ),
        Modality("ecg", ("ECG1", "ECG2"), 256.0, "V", "ecg"),
    ),
    targets=("valence", "arousal", "dominance"),
    default_targets=("valence", "arousal"),
    target_range=(1.0, 5.0),
    per_token=False,
    token_rate=2.0,
    token_window=2.0,
    caveats=(
        "one rating per trial: a mean-pooled model is invariant to shifts by construction, so asynchrony claims are untestable",
        "clip lengths differ and identify the clip: only the last 60 s are used",
        "there is no skin conductance",
    ),
)  # fmt: skip
OPTIONS = {"flip_dominance": False}
EEG_NAMES, ECG_NAMES = INFO.modalities[0].channels, INFO.modalities[1].channels
RATES = {"EEG_SamplingRate": EEG_SFREQ, "ECG_SamplingRate": ECG_SFREQ}


def unpack(root: Path, folder: Path, size: Size) -> None:
    """Convert the one file to a file per subject in one pass: memory is one subject's, time is linear in their number.

    Raises
    ------
    HimoeError
        Naming the file, subject and trial if the structure, length or a score is not DREAMER's.
    """
    path = root / "DREAMER.mat"
    done = 0
    for number, group in groupby(_people(path), key=lambda leaf: leaf[0][2] if len(leaf[0]) > 2 else None):
        if number != done or done == len(size.subjects):
            raise HimoeError(f"{path}: subject number {number} after {done} of {len(size.subjects)} expected")
        subject = size.subjects[done]
        person = {at[3:]: value for at, value in group}
        write_trials(folder / f"{subject}.safetensors", list(_trials(person, subject, size, f"{path}: subject {subject}")))
        done += 1
    if done != len(size.subjects):
        raise HimoeError(f"{path}: {done} subjects, expected {len(size.subjects)}")


def _people(path: Path) -> Iterator[tuple[LeafPath, Any]]:
    """Leaves below ``Data``; what the file states about itself beside them is compared with what is assumed of it."""
    electrodes = []
    kept = {("DREAMER", name) for name in ("Data", "EEG_Electrodes", *RATES)}
    for at, value in walk(path, lambda at: at[:2] in kept):
        if at[1] == "Data":
            yield at, value
        elif at[1] == "EEG_Electrodes":
            electrodes.append(str(value).strip())
        elif not np.array_equal(np.ravel(value), [rate := RATES[str(at[1])]]):
            raise HimoeError(f"{path}: {at[1]} is {np.ravel(value).tolist()[:3]}, expected {rate:g}")
    if electrodes and tuple(electrodes) != EEG_NAMES:
        raise HimoeError(f"{path}: EEG_Electrodes are {', '.join(electrodes)[:100]}, expected {', '.join(EEG_NAMES)}")


def records(root: Path, size: Size, edition: Edition) -> list[Record]:
    """One file per subject, as :func:`unpack` leaves them."""
    return [Record(s, (f"{s}.safetensors",), edition.name) for s in size.subjects if (root / f"{s}.safetensors").is_file()]


def read(root: Path, record: Record, size: Size, flip_dominance: bool = False) -> Iterator[Trial]:
    """Trials of one subject; ``flip_dominance`` reads dominance as 6 - score."""
    for trial in read_trials(root / record.files[0]):
        if flip_dominance:
            targets = trial.targets.copy()
            targets[2] = sum(INFO.target_range) - targets[2]
            trial = replace(trial, targets=targets)
        yield trial


def _trials(person: dict[tuple, Any], subject: str, size: Size, where: str) -> Iterator[Trial]:
    """Trials of one subject from the leaves below it: the last ``size.seconds`` of each clip, ECG at its own rate."""
    try:
        scores = np.stack([np.ravel(person[(name,)]) for name in SCORES], axis=1).astype(np.float64)
    except (KeyError, ValueError) as error:
        raise HimoeError(f"{where}: field missing or misshapen ({error})") from error
    n_trials, seconds = size.per_subject()
    if len(scores) != n_trials:
        raise HimoeError(f"{where}: {len(scores)} trials, expected {n_trials}")
    low, high = INFO.target_range
    for field in ("EEG", "ECG"):
        for part in ("stimuli", "baseline"):
            if sum(at[:2] == (field, part) for at in person) != n_trials:
                raise HimoeError(f"{where}: {field}.{part} has not {n_trials} recordings")
    for i, labels in enumerate(scores):
        trial = f"c{i + 1:02d}"
        if not ((labels >= low) & (labels <= high) & (labels == np.rint(labels))).all():
            raise HimoeError(f"{where}: trial {trial}: scores {labels.tolist()} are not whole numbers within {low:g}..{high:g}")
        signals, baseline = {}, {}
        for field, modality, scale in (("EEG", INFO.modalities[0], MICRO), ("ECG", INFO.modalities[1], MILLI)):
            place = f"{where}: trial {trial}: {modality.name}"
            clip = _recording(person[field, "stimuli", i], len(modality.channels), place) * scale
            rest = _recording(person[field, "baseline", i], len(modality.channels), f"{place} baseline") * scale
            n_times = round(seconds * modality.sfreq)
            if clip.shape[1] < n_times:
                raise HimoeError(f"{place} lasts {clip.shape[1] / modality.sfreq:.1f} s, less than {seconds:g} s")
            signals[modality.name] = Signal(clip[:, -n_times:], modality.sfreq)
            baseline[modality.name] = Signal(rest, modality.sfreq)
        yield Trial(subject, "1", trial, trial, seconds, signals, labels, baseline=baseline)
    _check_lengths(person, n_trials, where)


def _check_lengths(person: dict[tuple, Any], n_trials: int, where: str) -> None:
    """HimoeError where recordings have changed places: EEG and ECG of one last equally long, and all baselines do (the owners'
    61 s), while stimuli, each as long as its clip, do not (65 to 393 s)."""
    rates = (("EEG", EEG_SFREQ), ("ECG", ECG_SFREQ))
    for part in ("baseline", "stimuli"):
        eeg, ecg = (np.array([len(person[field, part, i]) / sfreq for i in range(n_trials)]) for field, sfreq in rates)
        if (differ := np.abs(eeg - ecg)).max() > UNEVEN_SECONDS:
            i = int(differ.argmax())
            lasts = f"EEG.{part} lasts {eeg[i]:.1f} s, ECG.{part} {ecg[i]:.1f} s"
            raise HimoeError(f"{where}: trial c{i + 1:02d}: {lasts}; have recordings changed places?")
        if part == "baseline" and np.ptp(eeg) > UNEVEN_SECONDS:
            lasts = f"last {eeg.min():.1f} to {eeg.max():.1f} s, expected one length"
            raise HimoeError(f"{where}: baselines {lasts}; have baselines and stimuli changed places?")


def _recording(array: Any, n_chans: int, where: str) -> np.ndarray:
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.shape[1] != n_chans:
        raise HimoeError(f"{where}: shape {getattr(array, 'shape', 'of text')}, expected (n_times, {n_chans})")
    return array.T.astype(np.float64)


def synthesize(
    root: Path, size: Size, edition: str, snr: float, seed: int, rating_bias: float = 0.0, electrode_drift: float = 0.0,
    threads: int = 1,
) -> None:  # fmt: skip
    """Write a twin: one compressed MATLAB v5 struct with the original's fields, orientation, rates and ragged clips."""
    n_trials, seconds = size.per_subject()
    rng = np.random.default_rng([seed, simulate.STIMULI])
    lengths = seconds + rng.uniform(1.0, 6.0, n_trials)
    clips = simulate.stimuli(n_trials, int(np.ceil(lengths.max() * simulate.RATE)) + 2, rng)
    mixing = simulate.topography(len(EEG_NAMES), len(DELTA_BANDS), seed)
    people = np.empty((1, len(size.subjects)), object)
    person = partial(_simulate_person, clips, lengths, seconds, mixing, snr, seed, rating_bias, electrode_drift)
    for number, struct in enumerate(in_processes(person, range(len(size.subjects)), threads)):
        people[0, number] = struct
    content = {
        "Data": people, "EEG_SamplingRate": EEG_SFREQ, "ECG_SamplingRate": ECG_SFREQ,
        "EEG_Electrodes": np.array([list(EEG_NAMES)], object),
        "noOfSubjects": float(len(size.subjects)), "noOfVideoSequences": float(n_trials),
    }  # fmt: skip
    write_compressed(root / "DREAMER.mat", "DREAMER", content, threads)


def _simulate_person(
    clips: np.ndarray, lengths: np.ndarray, seconds: float, mixing: np.ndarray, snr: float, seed: int, rating_bias: float,
    electrode_drift: float, number: int,
) -> dict[str, Any]:  # fmt: skip
    """The struct of a subject of this number from the latents of the clips (n_trials, 2, n), which last ``lengths`` s; ratings
    are of the last ``seconds`` of each, whole numbers; electrodes of EEG and ECG drift."""
    rng, n_trials, n_chans = np.random.default_rng([seed, 1 + number]), len(clips), len(EEG_NAMES) + len(ECG_NAMES)
    order = simulate.presented(n_trials, seed, number)
    gain = np.exp(simulate.electrode_drift(order, n_chans, electrode_drift, seed, number))  # (n_trials, n_chans)
    bias = simulate.rating_bias(rating_bias, seed, number)
    person: dict[str, Any] = {"Age": str(rng.integers(22, 34)), "Gender": str(rng.choice(["male", "female"]))}
    cells = {k: {p: np.empty((n_trials, 1), object) for p in ("baseline", "stimuli")} for k in ("EEG", "ECG")}
    scores = np.empty((n_trials, 3))
    rest = np.zeros((2, int(TWIN_BASELINE_SECONDS * simulate.RATE) + 2))
    for i, (clip, length) in enumerate(zip(clips, lengths, strict=True)):
        latent = simulate.appraise(clip[:, : int(np.ceil(length * simulate.RATE)) + 2], rng)
        rated = latent[:, -round(seconds * simulate.RATE) :]
        scores[i, :2] = np.rint(simulate.rating(rated, *INFO.target_range, rng, bias))
        scores[i, 2] = rng.integers(1, 6)
        for part, drive, recorded in (("baseline", rest, TWIN_BASELINE_SECONDS), ("stimuli", latent, length)):
            n_eeg, n_ecg = round(recorded * EEG_SFREQ), round(recorded * ECG_SFREQ)
            eeg = simulate.eeg(drive, mixing, list(DELTA_BANDS.values()), EEG_SFREQ, n_eeg, snr, rng)
            phase = simulate.beat_phase(drive, ECG_SFREQ, n_ecg, snr, rng)
            ecg = simulate.ecg_wave(phase) * np.array([[1.0], [0.8]]) + 0.02 * rng.standard_normal((2, n_ecg))
            cells["EEG"][part][i, 0] = eeg.T * gain[i, : len(EEG_NAMES)] + 4200.0
            cells["ECG"][part][i, 0] = ecg.T * gain[i, len(EEG_NAMES) :]
    return person | cells | {name: scores[:, [column]] for column, name in enumerate(SCORES)}
