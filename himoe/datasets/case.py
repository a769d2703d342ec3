"""CASE, Continuously Annotated Signals of Emotion (Sharma et al. 2019): joystick ratings while a film is watched.

``data/interpolated/physiological/sub_N.csv`` at 1 kHz and ``data/interpolated/annotations/sub_N.csv`` at 20 Hz, times in ms
on one clock, the film by number in column ``video``. A trial is one of eight films; the ten seconds before are its baseline.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from himoe import io
from himoe.data.processes import in_processes
from himoe.signal import simulate
from himoe.signal.clock import on_grid
from himoe.types import DatasetInfo, Download, Edition, HimoeError, Modality, Record, Signal, Size, Trial

if TYPE_CHECKING:
    import pandas as pd

SFREQ, RATING_SFREQ = 1000.0, 20.0
BASELINE_SECONDS = 10.0
TWIN_ANNOTATOR_LAG = 2.0  # s
SCREEN_SECONDS = 12.0  # of blue screen before each film of a twin
MAX_GAP = 1.5 / SFREQ  # s: a sample that was dropped is not made up
MIN_COVERED = 0.9  # share of a film that must be recorded
INFO = DatasetInfo(
    title="CASE",
    citation="Sharma, Castellini, van den Broek, Albu-Schaeffer & Schwenker, A dataset of continuous affect annotations and "
    "physiological signals for emotion analysis, Scientific Data 6:196, 2019",
    licence="CC BY 4.0",
    access="download CASE_full.zip from its figshare record (doi:10.6084/m9.figshare.8869157) and place it in this folder",
    editions=(
        Edition(
            "interpolated",
            ("data/interpolated/physiological/{subject}.csv", "data/interpolated/annotations/{subject}.csv"),
            ("CASE*.zip",),
        ),
    ),
    downloads=(
        Download(
            "interpolated", "https://springernature.figshare.com/ndownloader/files/16260497", "CASE_full.zip", "",
            ("s3-eu-west-1.amazonaws.com",),
        ),
    ),
    subjects=(
        "sub_1", "sub_2", "sub_3", "sub_4", "sub_5", "sub_6", "sub_7", "sub_8", "sub_9", "sub_10", "sub_11", "sub_12", "sub_13",
        "sub_14", "sub_15", "sub_16", "sub_17", "sub_18", "sub_19", "sub_20", "sub_21", "sub_22", "sub_23", "sub_24", "sub_25",
        "sub_26", "sub_27", "sub_28", "sub_29", "sub_30",
    ),
    n_trials=8,
    seconds=None,
    modalities=(
        Modality("ecg", ("ecg",), 1000.0, "V", "ecg"),
        Modality("bvp", ("bvp",), 1000.0, "%", "ppg"),
        Modality("gsr", ("gsr",), 1000.0, "S", "gsr"),
        Modality("resp", ("rsp",), 1000.0, "%", "respiration"),
        Modality("temperature", ("skt",), 1000.0, "degC", "temperature"),
        Modality("emg", ("emg_zygo", "emg_coru", "emg_trap"), 1000.0, "V", "emg"),
    ),
    targets=("valence", "arousal"),
    default_targets=("valence", "arousal"),
    target_range=(0.5, 9.5),
    per_token=True,
    token_rate=2.0,
    token_window=2.0,
    caveats=(
        "the ratings lag behind the feeling by the annotator's reaction time: see annotator_lag",
        "eight films for all: the film explains much of the ratings (stimulus-mean)",
        "no EEG",
    ),
)  # fmt: skip
VIDEOS = {
    1: "amusing-1",
    2: "amusing-2",
    3: "boring-1",
    4: "boring-2",
    5: "relaxed-1",
    6: "relaxed-2",
    7: "scary-1",
    8: "scary-2",
}
MAX_MS = 86_400_000.0
SCALE = {"ecg": 1e-3, "gsr": 1e-6, "emg": 1e-6}


def records(root: Path, size: Size, edition: Edition) -> list[Record]:
    """Physiology and ratings of each subject that has both."""
    return edition.complete(root, size.subjects)


def read(root: Path, record: Record, size: Size) -> Iterator[Trial]:
    """One trial per film, in the order of the films, from its first to its last rating.

    Raises
    ------
    HimoeError
        Naming the file, and the film where it can, if columns, clock or range of the ratings are not CASE's.
    """
    physiology, annotations = (root / name for name in record.files)
    channels = [c for m in INFO.modalities for c in m.channels]
    signals = _columns(physiology, ("daqtime", *channels, "video"))
    ratings = _columns(annotations, ("jstime", *INFO.targets, "video"))
    for path, clock in ((physiology, signals["daqtime"]), (annotations, ratings["jstime"])):
        if not (np.diff(clock.to_numpy()) > 0).all() or not np.isfinite(clock).all():
            raise HimoeError(f"{path}: times are not in increasing order")
        if len(clock) and clock.iloc[-1] - clock.iloc[0] > MAX_MS:
            raise HimoeError(f"{path}: times from {clock.iloc[0]:g} to {clock.iloc[-1]:g} are not milliseconds of one session")
    films = sorted(set(ratings["video"].unique()) & set(VIDEOS))
    if len(films) != size.n_trials:
        raise HimoeError(f"{annotations}: {len(films)} of {size.n_trials} films rated")
    low, high = INFO.target_range
    samples = signals[channels].to_numpy().T
    for film in films:
        rated = ratings[ratings["video"] == film]
        values = rated[list(INFO.targets)].to_numpy(np.float64)
        if not ((values >= low) & (values <= high)).all():
            raise HimoeError(f"{annotations}: film {film}: a rating is outside {low:g}..{high:g}")
        times = rated["jstime"].to_numpy(np.float64) / 1000
        start, seconds = times[0], times[-1] - times[0] + 1 / RATING_SFREQ
        seen = signals["video"].to_numpy()[np.searchsorted(signals["daqtime"], 1000 * start) :][: round(seconds * SFREQ)]
        if (seen == film).sum() < MIN_COVERED * seconds * SFREQ:
            raise HimoeError(f"{physiology}: film {film}: recorded for {(seen == film).sum() / SFREQ:.0f} of {seconds:.0f} s")
        shown = (signals["video"] == film).sum() / SFREQ
        if seconds < MIN_COVERED * shown:
            raise HimoeError(f"{annotations}: film {film}: rated for {seconds:.0f} of {shown:.0f} s; is the file cut?")
        clock = signals["daqtime"].to_numpy() / 1000 - start
        data = on_grid(clock, samples, SFREQ, -BASELINE_SECONDS, BASELINE_SECONDS + seconds, MAX_GAP)
        parts, at = {}, 0
        for m in INFO.modalities:
            block = data[at : at + len(m.channels)] * SCALE.get(m.name, 1.0)
            parts[m.name] = Signal(block, SFREQ, -BASELINE_SECONDS)
            at += len(m.channels)
        yield Trial(record.subject, "1", f"v{film:02d}", VIDEOS[film], seconds, parts, values, times - start)


def _columns(path: Path, names: tuple[str, ...]) -> pd.DataFrame:
    import pyarrow
    from pyarrow import csv

    kinds = {n: pyarrow.int32() if n == "video" else pyarrow.float64() for n in names}
    try:
        table = csv.read_csv(
            path,
            csv.ReadOptions(use_threads=False),
            convert_options=csv.ConvertOptions(include_columns=list(names), column_types=kinds),
        )
    except (OSError, KeyError, pyarrow.ArrowException) as error:
        raise HimoeError(f"{path}: expected columns {', '.join(names)} of numbers ({str(error).splitlines()[0]})") from error
    if table["video"].null_count:
        raise HimoeError(f"{path}: {table['video'].null_count} rows without a video's number")
    return table.to_pandas()


def synthesize(
    root: Path, size: Size, edition: str, snr: float, seed: int, rating_bias: float = 0.0, threads: int = 1
) -> None:  # fmt: skip
    """Write a twin: the same columns and clocks, a blue screen before each film, ratings that lag behind by 2 s."""
    n_trials, seconds = size.n_trials or len(VIDEOS), size.seconds or 60.0
    n_latent = int(np.ceil(seconds * simulate.RATE)) + 2
    films = simulate.stimuli(n_trials, n_latent, np.random.default_rng([seed, simulate.STIMULI]))
    person = partial(_write_person, root, films, seconds, snr, seed, rating_bias)
    for _ in in_processes(person, enumerate(size.subjects), threads):
        pass


def _write_person(
    root: Path, films: np.ndarray, seconds: float, snr: float, seed: int, rating_bias: float, who: tuple[int, str]
) -> None:  # fmt: skip
    """The two files of one person, ``who`` a number and a name."""
    number, subject = who
    rng = np.random.default_rng([seed, 1 + number])
    physiology, ratings = [], []
    bias = simulate.rating_bias(rating_bias, seed, number)
    for position, film in enumerate(rng.permutation(len(films))):
        start = position * (SCREEN_SECONDS + seconds) + SCREEN_SECONDS
        screen = 10 if position == 0 else 11
        latent = simulate.appraise(films[film], rng)
        physiology.append(_simulate_film(latent, start, seconds, film + 1, screen, snr, rng))
        ratings.append(_simulate_ratings(latent, start, seconds, film + 1, bias, rng))
    names = [c for m in INFO.modalities for c in m.channels]
    _write(root / _file("physiological", subject), ["daqtime", *names, "video"], np.concatenate(physiology))
    _write(root / _file("annotations", subject), ["jstime", *INFO.targets, "video"], np.concatenate(ratings))


def _file(kind: str, subject: str) -> str:
    return f"data/interpolated/{kind}/{subject}.csv"


def _simulate_film(
    latent: np.ndarray, start: float, seconds: float, film: int, screen: int, snr: float, rng: np.random.Generator
) -> np.ndarray:
    """Rows of the physiological file: a blue screen (its number in column ``video``; no emotion), then the film."""
    n_times = round((SCREEN_SECONDS + seconds) * SFREQ)
    drive = np.concatenate([np.zeros((2, round(SCREEN_SECONDS * simulate.RATE))), latent], axis=1)
    args = (SFREQ, n_times, snr, rng)
    phase = simulate.beat_phase(drive, *args)
    muscles = [simulate.muscle(drive * on, *args) for on in (1.0, -1.0, 0.0)]
    channels = np.concatenate([
        simulate.ecg_wave(phase) + 0.02 * rng.standard_normal((1, n_times)), 35 + 4 * simulate.pulse_wave(phase),
        simulate.conductance(drive, *args), 30 + 5 * simulate.breathing(drive, *args),
        33 + simulate.slow(SFREQ, n_times, 0.2, rng), *muscles,
    ])  # fmt: skip
    clock = 1000 * (start - SCREEN_SECONDS) + np.arange(n_times)
    video = np.where(np.arange(n_times) < round(SCREEN_SECONDS * SFREQ), screen, film)
    return np.column_stack([clock, channels.T, video])


def _simulate_ratings(
    latent: np.ndarray, start: float, seconds: float, film: int, bias: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Rows of the annotation file: the latent, TWIN_ANNOTATOR_LAG later, on the joystick's scale, plus a bias (2,)."""
    n_times = round(seconds * RATING_SFREQ)
    noisy = simulate.joystick(latent, INFO.target_range, TWIN_ANNOTATOR_LAG, bias, RATING_SFREQ, n_times, rng)
    clock = 1000 * start + np.arange(n_times) * 1000 / RATING_SFREQ
    return np.column_stack([clock, noisy.T, np.full(n_times, film)])


def _write(path: Path, names: list[str], rows: np.ndarray) -> None:
    """CSV with three decimals, as the owners' conversion writes it."""
    import pandas as pd
    import pyarrow
    from pyarrow import csv

    frame = pd.DataFrame(rows.round(3), columns=names).astype({"video": int})
    with io.atomic(path) as temporary:
        csv.write_csv(pyarrow.Table.from_pandas(frame, preserve_index=False), temporary, csv.WriteOptions(quoting_style="none"))
