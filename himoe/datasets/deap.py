"""DEAP (Koelstra et al. 2012) in the three editions its owners hand out.

``python``: ``s01.dat`` .. ``s32.dat``, Python-2 pickles ``{data: (40 trials, 40 channels, 8064), labels: (40, 4)}`` at 128 Hz:
3 s of baseline, then 60 s of video. ``matlab``: ``s01.mat`` .., the same arrays, no pickle. ``raw``: ``s01.bdf`` .. at 512 Hz,
cleaned here (:mod:`himoe.datasets._deap_raw`). Axis 0 is the video (Experiment_id), not the order of presentation.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from himoe import io
from himoe.data.matfile import walk
from himoe.data.processes import in_processes
from himoe.data.untrusted import read_numpy_pickle
from himoe.datasets import _deap_raw
from himoe.signal import simulate
from himoe.signal.cleaning import average_reference
from himoe.signal.eeg import BANDS
from himoe.types import DatasetInfo, Download, Edition, HimoeError, Modality, Record, Signal, Size, Trial

SFREQ = 128.0
BASELINE_SECONDS = 3.0
N_CHANS, N_ELECTRODES = 40, 37  # respiration, pulse and temperature have none
MICRO = 1e-6
INFO = DatasetInfo(
    title="DEAP",
    citation="Koelstra et al., DEAP: A Database for Emotion Analysis using Physiological Signals, IEEE TAFFC 3(1), 2012",
    licence="end-user licence, no redistribution",
    access=(
        "sign the EULA at the DEAP site of Queen Mary University of London, download data_preprocessed_python.zip (or "
        "_matlab.zip, or data_original.zip with participant_ratings.csv) and place it, packed or not, in this folder"
    ),
    editions=(
        Edition("python", ("{subject}.dat",), ("data_preprocessed_python*.zip",)),
        Edition("matlab", ("{subject}.mat",), ("data_preprocessed_matlab*.zip",)),
        Edition("raw", ("{subject}.bdf",), ("data_original*.zip",), ("participant_ratings.csv",), ("metadata_csv*.zip",)),
    ),
    subjects=(
        "s01", "s02", "s03", "s04", "s05", "s06", "s07", "s08", "s09", "s10", "s11", "s12", "s13", "s14", "s15", "s16",
        "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "s26", "s27", "s28", "s29", "s30", "s31", "s32",
    ),
    n_trials=40,
    seconds=60.0,
    modalities=(
        Modality(
            "eeg",
            (
                "Fp1", "AF3", "F3", "F7", "FC5", "FC1", "C3", "T7", "CP5", "CP1", "P3", "P7", "PO3", "O1", "Oz", "Pz",
                "Fp2", "AF4", "Fz", "F4", "F8", "FC6", "FC2", "Cz", "C4", "T8", "CP6", "CP2", "P4", "P8", "PO4", "O2",
            ),
            128.0, "V", "eeg_de",
        ),
        Modality("eog", ("hEOG", "vEOG"), 128.0, "V", "eog"),
        Modality("emg", ("zEMG", "tEMG"), 128.0, "V", "emg"),
        Modality("gsr", ("GSR",), 128.0, "S", "gsr"),
        Modality("resp", ("respiration",), 128.0, "a.u.", "respiration"),
        Modality("bvp", ("plethysmograph",), 128.0, "a.u.", "ppg"),
        Modality("temperature", ("temperature",), 128.0, "degC", "temperature"),
    ),
    targets=("valence", "arousal", "dominance", "liking"),
    default_targets=("valence", "arousal"),
    target_range=(1.0, 9.0),
    per_token=False,
    token_rate=2.0,
    token_window=2.0,
    downloads=(
        Download(
            "python", "https://www.eecs.qmul.ac.uk/mmv/datasets/deap/data/data_preprocessed_python.zip",
            "data_preprocessed_python.zip", "", (), ("DEAP_USER", "DEAP_PASSWORD"),
        ),
    ),
    caveats=(
        "one rating per trial: a mean-pooled model is invariant to shifts by construction, so asynchrony claims are untestable",
        "skin temperature is reported as faulty by the authors of the TEAP toolbox",
        "the order of axis 0 is the video, not the presentation",
    ),
)  # fmt: skip
ROWS = {
    "eeg": slice(0, 32), "eog": slice(32, 34), "emg": slice(34, 36), "gsr": slice(36, 37), "resp": slice(37, 38),
    "bvp": slice(38, 39), "temperature": slice(39, 40),
}  # fmt: skip


SUFFIX = {"python": ".dat", "matlab": ".mat", "raw": ".bdf"}


def records(root: Path, size: Size, edition: Edition) -> list[Record]:
    """One file per subject that is there; intake compares with ``size.subjects``."""
    names = {s: f"{s}{SUFFIX[edition.name]}" for s in size.subjects}
    return [Record(s, (name,), edition.name) for s, name in names.items() if (root / name).is_file()]


def read(root: Path, record: Record, size: Size) -> Iterator[Trial]:
    """Trials of one subject in SI units; the baseline is at negative times.

    Raises
    ------
    HimoeError
        Naming the file, and the trial where it can, if shape or label range is not DEAP's.
    """
    path = root / record.files[0]
    content = READERS[record.edition]([root / name for name in record.files], size)
    n_trials, seconds = size.per_subject()
    n_times = round((BASELINE_SECONDS + seconds) * SFREQ)
    for name, shape in (("data", (n_trials, N_CHANS, n_times)), ("labels", (n_trials, len(INFO.targets)))):
        if name not in content:
            raise HimoeError(f"{path}: no array '{name}'; is this an edition of the preprocessed data?")
        if not isinstance(content[name], np.ndarray) or content[name].shape != shape:
            found = f"has shape {content[name].shape}" if isinstance(content[name], np.ndarray) else "is text"
            raise HimoeError(f"{path}: '{name}' {found}, expected {shape}")
    if _is_channel_major(content["data"]):
        raise HimoeError(f"{path}: axis 0 of 'data' is the channel and axis 1 the trial, expected the other way round")
    low, high = INFO.target_range
    for i, (data, labels) in enumerate(zip(content["data"], content["labels"], strict=True)):
        if not ((labels >= low) & (labels <= high)).all():
            raise HimoeError(f"{path}: trial {i + 1}: labels {labels.tolist()} not within {low:g}..{high:g}")
        signals = {}
        for name, rows in ROWS.items():
            signals[name] = Signal(to_si(name, data[rows]), SFREQ, -BASELINE_SECONDS)
        video = f"v{i + 1:02d}"
        yield Trial(record.subject, "1", video, video, seconds, signals, labels.astype(np.float64))


def _is_channel_major(data: np.ndarray) -> bool:
    """Whether trials and channels have changed places where both are 40 and the shape does not tell: channels differ in unit by
    orders of magnitude, trials hardly."""
    if data.shape[0] != data.shape[1]:
        return False
    scale = np.log(np.nanstd(data[..., ::8].astype(np.float64), axis=-1) + 1e-9)  # (n_trials, n_chans)
    of_trials, of_chans = (np.ptp(np.nanmedian(scale, axis=axis)) for axis in (1, 0))
    return bool(of_trials > max(1.0, 2 * of_chans))


def _read_python(files: list[Path], size: Size) -> dict[str, np.ndarray]:
    return read_numpy_pickle(files[0])


def _read_matlab(files: list[Path], size: Size) -> dict[str, Any]:
    return {str(at[0]): array for at, array in walk(files[0], lambda at: at in (("data",), ("labels",)))}


def _read_raw(files: list[Path], size: Size) -> dict[str, np.ndarray]:
    recording, ratings = files
    n_trials, seconds = size.per_subject()
    return _deap_raw.read(recording, ratings, n_trials, BASELINE_SECONDS, seconds, INFO.modalities[0].channels, SFREQ)


READERS = {"python": _read_python, "matlab": _read_matlab, "raw": _read_raw}


def to_si(modality: str, data: np.ndarray) -> np.ndarray:
    """V, S, degC or as recorded, from uV, ohm, degC; conductance is NaN where no resistance was measured."""
    data = data.astype(np.float64)
    if modality in ("eeg", "eog", "emg"):
        return data * MICRO
    if modality == "gsr":  # recorded as resistance in ohm
        with np.errstate(divide="ignore"):
            return np.where(data != 0, 1.0 / data, np.nan)  # below 0 there is none: the quality gate refuses it
    return data


def synthesize(
    root: Path, size: Size, edition: str, snr: float, seed: int, rating_bias: float = 0.0, electrode_drift: float = 0.0,
    threads: int = 1,
) -> None:  # fmt: skip
    """Write a twin in the format of one edition: the same axes, units, channel order; see :mod:`himoe.signal.simulate`.
    Electrodes that drift are those of EEG, EOG, EMG and skin conductance."""
    n_trials, seconds = size.per_subject()
    n_times = round((BASELINE_SECONDS + seconds) * SFREQ)
    n_latent = int(np.ceil(seconds * simulate.RATE)) + 2
    videos = simulate.stimuli(n_trials, n_latent, np.random.default_rng([seed, simulate.STIMULI]))
    mixing = simulate.topography(32, len(BANDS), seed)
    person = partial(_write_person, root, edition, videos, mixing, n_times, snr, seed, rating_bias, electrode_drift)
    people = dict(zip(size.subjects, in_processes(person, enumerate(size.subjects), threads), strict=True))
    if edition == "raw":
        _deap_raw.write_ratings(root / "participant_ratings.csv", people)


def _write_person(
    root: Path, edition: str, videos: np.ndarray, mixing: np.ndarray, n_times: int, snr: float, seed: int, rating_bias: float,
    electrode_drift: float, who: tuple[int, str],
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """One person's file, ``who`` a number and a name; the labels (n_trials, 4) and the order of the videos."""
    (number, subject), n_trials = who, len(videos)
    rng = np.random.default_rng([seed, 1 + number])
    data = np.empty((n_trials, N_CHANS, n_times))
    labels = np.empty((n_trials, 4))
    bias = simulate.rating_bias(rating_bias, seed, number)
    order = simulate.presented(n_trials, seed, number)
    gain = np.exp(simulate.electrode_drift(order, N_ELECTRODES, electrode_drift, seed, number))
    for i, video in enumerate(videos):
        latent = simulate.appraise(video, rng)
        labels[i, :2] = simulate.rating(latent, *INFO.target_range, rng, bias)
        labels[i, 2:] = rng.uniform(*INFO.target_range, 2)
        data[i] = _simulate_trial(latent, mixing, n_times, snr, gain[i], rng)
    if edition == "python":
        write_python2_pickle(root / f"{subject}.dat", {"labels": labels, "data": data})
    elif edition == "matlab":
        write_matlab(root / f"{subject}.mat", {"labels": labels, "data": data})
    else:
        _deap_raw.write(root / f"{subject}.bdf", data, order, BASELINE_SECONDS, INFO.modalities[0].channels, SFREQ, rng)
    return labels, order


def _simulate_trial(
    latent: np.ndarray, mixing: np.ndarray, n_times: int, snr: float, gain: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(40, n_times) in the units of the preprocessed editions: uV, ohm for skin conductance, degree C. ``gain``
    (N_ELECTRODES,) multiplies amplitudes and conductance."""
    data = np.empty((N_CHANS, n_times))
    rest = np.zeros((2, round(BASELINE_SECONDS * simulate.RATE)))
    drive = np.concatenate([rest, latent], axis=1)
    args = (SFREQ, n_times, snr, rng)
    eeg = simulate.eeg(drive, mixing, list(BANDS.values()), *args)
    data[ROWS["eeg"]] = average_reference(eeg * gain[ROWS["eeg"], None])
    data[ROWS["eog"]] = np.concatenate([simulate.slow(SFREQ, n_times, 40.0, rng) for _ in range(2)])
    data[ROWS["emg"]] = np.concatenate([simulate.muscle(drive * on, *args) for on in (1.0, 0.0)])
    data[ROWS["gsr"]] = 1e6 / simulate.conductance(drive, *args)
    data[ROWS["eog"]] *= gain[ROWS["eog"], None]
    data[ROWS["emg"]] *= gain[ROWS["emg"], None]
    data[ROWS["gsr"]] /= gain[ROWS["gsr"], None]
    data[ROWS["resp"]] = 300 * simulate.breathing(drive, *args)
    data[ROWS["bvp"]] = 2000 * simulate.pulse_wave(simulate.beat_phase(drive, *args))
    data[ROWS["temperature"]] = 33 + simulate.slow(SFREQ, n_times, 0.2, rng)
    return data


def write_matlab(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Arrays by name as a compressed MATLAB v5 file."""
    from scipy.io import savemat

    with io.atomic(path) as temporary:
        savemat(temporary, arrays, do_compression=True)


def write_python2_pickle(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """The protocol-2 stream that Python 2's cPickle makes of a dict of float64 arrays, as in the true files.

    Array bytes are Python-2 ``str`` (opcode T), which Python 3's pickler cannot write and readers decode as latin1.
    """
    out = [b"\x80\x02}("]
    for key, array in arrays.items():
        array = np.ascontiguousarray(array, "<f8")
        shape = b"".join(b"J" + struct.pack("<i", n) for n in array.shape)
        out += [
            b"U", bytes([len(key)]), key.encode("ascii"),
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR",
            b"(K\x01(", shape, b"t",
            b"cnumpy\ndtype\n(U\x02f8K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
            b"\x89T", struct.pack("<i", array.nbytes), array.tobytes(), b"tb",
        ]  # fmt: skip
    with io.atomic(path) as temporary:
        temporary.write_bytes(b"".join([*out, b"u."]))
