"""DEAP, ``data_preprocessed_python`` edition (Koelstra et al. 2012): ``s01.dat`` .. ``s32.dat``.

Each file is a Python-2 pickle ``{data: (40 trials, 40 channels, 8064), labels: (40, 4)}`` at 128 Hz: 3 s of baseline, then
60 s of video. Axis 0 is the video (Experiment_id), not the order of presentation.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from himoe import io
from himoe.signal import simulate
from himoe.types import DatasetInfo, HimoeError, Modality, Record, Signal, Size, Trial

SFREQ = 128.0
BASELINE_SECONDS = 3.0
N_CHANS = 40
MICRO = 1e-6
INFO = DatasetInfo(
    title="DEAP",
    citation="Koelstra et al., DEAP: A Database for Emotion Analysis using Physiological Signals, IEEE TAFFC 3(1), 2012",
    licence="end-user licence, no redistribution",
    access=(
        "sign the EULA at the DEAP site of Queen Mary University of London, download data_preprocessed_python.zip, "
        "unpack it so that the .dat files stand in this folder"
    ),
    files=("s[0-3][0-9].dat",),
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


def records(root: Path, size: Size) -> list[Record]:
    """One ``.dat`` per subject that is there; intake compares with ``size.subjects``."""
    return [Record(s, (f"{s}.dat",)) for s in size.subjects if (root / f"{s}.dat").is_file()]


def read(root: Path, record: Record, size: Size) -> Iterator[Trial]:
    """Trials of one subject in SI units; the baseline is at negative times.

    Raises
    ------
    HimoeError
        Naming the file, and the trial where it can, if shape, finiteness or label range is not DEAP's.
    """
    path = root / record.files[0]
    content = io.read_numpy_pickle(path)
    n_times = round((BASELINE_SECONDS + size.seconds) * SFREQ)
    for name, shape in (("data", (size.n_trials, N_CHANS, n_times)), ("labels", (size.n_trials, len(INFO.targets)))):
        if name not in content:
            raise HimoeError(f"{path}: no array '{name}'; is this data_preprocessed_python?")
        if content[name].shape != shape:
            raise HimoeError(f"{path}: '{name}' has shape {content[name].shape}, expected {shape}")
    low, high = INFO.target_range
    for i, (data, labels) in enumerate(zip(content["data"], content["labels"], strict=True)):
        if not ((labels >= low) & (labels <= high)).all():
            raise HimoeError(f"{path}: trial {i + 1}: labels {labels.tolist()} not within {low:g}..{high:g}")
        signals = {}
        for name, rows in ROWS.items():
            signals[name] = Signal(_to_si(name, data[rows]), SFREQ, -BASELINE_SECONDS)
        video = f"v{i + 1:02d}"
        yield Trial(record.subject, "1", video, video, size.seconds, signals, labels.astype(np.float64))


def _to_si(modality: str, data: np.ndarray) -> np.ndarray:
    data = data.astype(np.float64)
    if modality in ("eeg", "eog", "emg"):
        return data * MICRO
    if modality == "gsr":  # recorded as resistance in ohm
        with np.errstate(divide="ignore"):
            return np.where(data > 0, 1.0 / data, np.nan)
    return data


def synthesize(root: Path, size: Size, snr: float, seed: int) -> None:
    """Write a twin: the same pickle stream, axes, units and channel order; see :mod:`himoe.signal.simulate`."""
    n_times = round((BASELINE_SECONDS + size.seconds) * SFREQ)
    n_latent = int(np.ceil(size.seconds * simulate.RATE)) + 2
    videos = simulate.stimuli(size.n_trials, n_latent, np.random.default_rng([seed, simulate.STIMULI]))
    from himoe.signal.features import BANDS

    mixing = simulate.topography(32, len(BANDS), seed)
    for number, subject in enumerate(size.subjects):
        rng = np.random.default_rng([seed, 1 + number])
        data = np.empty((size.n_trials, N_CHANS, n_times))
        labels = np.empty((size.n_trials, 4))
        for i, video in enumerate(videos):
            latent = simulate.felt(video, rng)
            labels[i, :2] = simulate.rating(latent, *INFO.target_range, rng)
            labels[i, 2:] = rng.uniform(*INFO.target_range, 2)
            rest = np.zeros((2, round(BASELINE_SECONDS * simulate.RATE)))
            drive = np.concatenate([rest, latent], axis=1)
            args = (SFREQ, n_times, snr, rng)
            data[i, ROWS["eeg"]] = simulate.eeg(drive, mixing, list(BANDS.values()), *args)
            data[i, ROWS["eog"]] = np.concatenate([simulate.slow(SFREQ, n_times, 40.0, rng) for _ in range(2)])
            data[i, ROWS["emg"]] = np.concatenate([simulate.muscle(drive * on, *args) for on in (1.0, 0.0)])
            data[i, ROWS["gsr"]] = 1e6 / simulate.conductance(drive, *args)
            data[i, ROWS["resp"]] = 300 * simulate.breathing(drive, *args)
            data[i, ROWS["bvp"]] = 2000 * simulate.pulse_wave(simulate.beat_phase(drive, *args))
            data[i, ROWS["temperature"]] = 33 + simulate.slow(SFREQ, n_times, 0.2, rng)
        write_python2_pickle(root / f"{subject}.dat", {"labels": labels, "data": data})


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
