"""CEAP-360VR, its physiology digitised from the plots that the data set publishes: one NumPy file ``ceap_4hz.npz`` for all.

Arrays of (32 people, 8 clips, 240 steps of 0.25 s). Exact, from the owners' files: ``valence``, ``arousal`` (frame level), head
angles, ``fixating``; ``video_order``. Read off plots: everything else. A data set of its own name: its results never mix with
those of :mod:`himoe.datasets.ceap`, which reads the recordings themselves. Both have the same clock and modalities.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from himoe import io
from himoe.data.processes import in_processes
from himoe.data.recordings import read_trials, write_trials
from himoe.data.untrusted import read_npz
from himoe.datasets._ceap import ACC_STEP, RATES, VIDEOS, direction, simulate_clip, simulate_ratings, with_speed
from himoe.signal import simulate
from himoe.types import DatasetInfo, Edition, HimoeError, Modality, Record, Signal, Size, Trial

SFREQ = 4.0
MAX_BYTES = 1 << 28  # the file holds 5 MB
INFO = DatasetInfo(
    title="CEAP-360VR, physiology digitised from published plots",
    citation="Xue, El Ali, Zhang, Ding & Cesar, CEAP-360VR: A Continuous Physiological and Behavioral Emotion Annotation "
    "Dataset for 360-degree VR Videos, IEEE Transactions on Multimedia, 2021, doi:10.1109/TMM.2021.3124080",
    licence="CC BY-NC-SA 4.0 (its License.txt says CC BY-NC 4.0 and links to by-nc-sa)",
    access="place ceap_4hz.npz here (made of the plots that the repository cwi-dis/CEAP-360VR-Dataset publishes); the "
    "recordings themselves are open too, as data set ceap",
    editions=(Edition("npz", ("ceap_4hz.npz",)),),
    subjects=(
        "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P11", "P12", "P13", "P14", "P15", "P16", "P17", "P18",
        "P19", "P20", "P21", "P22", "P23", "P24", "P25", "P26", "P27", "P28", "P29", "P30", "P31", "P32",
    ),
    n_trials=8,
    seconds=60.0,
    modalities=(
        Modality("gsr", ("eda",), 4.0, "S", "gsr"),
        Modality("temperature", ("skt",), 4.0, "degC", "temperature"),
        Modality("bvp", ("upper_envelope", "lower_envelope"), 4.0, "a.u.", "values"),
        Modality("cardiac", ("heart_rate", "inter_beat_interval"), 4.0, "1/min, s", "values"),
        Modality("pupil", ("left", "right"), 4.0, "m", "values"),
        Modality("gaze", ("x", "y", "z", "speed", "fixating"), 4.0, "1, rad/s, 1", "values"),
        Modality("head", ("x", "y", "z", "speed"), 4.0, "1, rad/s", "values"),
        Modality("motion", ("x", "y", "z", "motion"), 4.0, "m/s^2", "values"),
    ),
    targets=("valence", "arousal"),
    default_targets=("valence", "arousal"),
    target_range=(1.0, 9.0),
    per_token=True,
    token_rate=1.0,
    token_window=2.0,
    folder="ceap360vr",
    caveats=(
        "digitised: physiology, pupils and gaze were read off published plots; labels and head are exact",
        "nothing faster than about 2.5 Hz survives: of the pulse its envelope, no beats",
        "heart rate agrees between two plots to 0.007/min; errors of conductance, temperature, pupils, gaze are not known",
        "wrist EDA is low (many people under 0.3 uS), with steps",
        "inter-beat intervals are wholly absent in 7 clips, one axis of motion in one",
        "P2 and P12: heart rate and intervals were swapped in the plot, and swapped back",
        "pupil (brightness) and head tell which clip is on, and the clip tells much of the ratings: see variants",
        "P15 on V8 has the rating per frame, which the owners left as it was when they corrected the raw one",
    ),
)  # fmt: skip
ARRAYS = (
    "eda_uS", "skt_C", "bvp_hi", "bvp_lo", "hr_bpm", "ibi_s", "pd_l_mm", "pd_r_mm", "em_pitch_deg", "em_yaw_deg",
    "fixating", "hm_pitch_deg", "hm_yaw_deg", "acc_x", "acc_y", "acc_z", "acc_motion", "valence", "arousal",
)  # fmt: skip


def unpack(root: Path, folder: Path, size: Size) -> None:
    """Convert the one file to a file per subject, clips in the order in which the person saw them.

    Raises
    ------
    HimoeError
        Naming the file and the array if one is absent or misshapen, if an order is none, if a rating is out of range.
    """
    path, (n_trials, seconds) = root / "ceap_4hz.npz", size.per_subject()
    shape = (len(size.subjects), n_trials, int(seconds * SFREQ))
    shapes = {**dict.fromkeys(ARRAYS, shape), "t": shape[2:], "video_order": shape[:2]}
    try:
        stored = read_npz(path, MAX_BYTES, shapes)
    except (OSError, ValueError) as error:
        raise HimoeError(f"{path}: cannot be read as arrays ({error})") from error
    arrays = {name: _checked(path, stored, name, expected) for name, expected in shapes.items()}
    low, high = INFO.target_range
    for name in INFO.targets:
        if not ((arrays[name] >= low) & (arrays[name] <= high)).all():
            raise HimoeError(f"{path}: {name}: a rating is outside {low:g}..{high:g}")
    if np.abs(arrays["t"] - np.arange(shape[2]) / SFREQ).max() > 1e-6:
        raise HimoeError(f"{path}: t is not every {1 / SFREQ:g} s from 0")
    for number, subject in enumerate(size.subjects):
        order = arrays["video_order"][number]
        if sorted(order) != list(range(1, n_trials + 1)):
            raise HimoeError(f"{path}: video_order of {subject} is not 1 to {n_trials}, each once")
        trials = [
            _trial({a: arrays[a][number, int(v) - 1] for a in ARRAYS}, subject, VIDEOS[int(v) - 1], seconds) for v in order
        ]
        write_trials(folder / f"{subject}.safetensors", trials)


def _checked(path: Path, stored: dict[str, np.ndarray], name: str, shape: tuple[int, ...]) -> np.ndarray:
    """One array of the file."""
    if name not in stored:
        raise HimoeError(f"{path}: no array {name} in it")
    array = stored[name]
    if array.shape != shape and name in ARRAYS and array.ndim and array.shape[0] < shape[0] and array.shape[1:] == shape[1:]:
        raise HimoeError(f"{path}: {array.shape[0]} subjects, expected {shape[0]}")
    if array.shape != shape or array.dtype.kind not in "fiu":
        raise HimoeError(f"{path}: {name}: {array.dtype} of shape {array.shape}, expected numbers of shape {shape}")
    return array.astype(np.float64)


def _trial(clip: dict[str, np.ndarray], subject: str, video: str, seconds: float) -> Trial:
    """One clip seen by one person; ``clip`` holds its arrays (n_times,) by name."""
    motion = np.stack([clip["acc_x"], clip["acc_y"], clip["acc_z"], clip["acc_motion"]])
    gaze, head = (with_speed(direction(clip[f"{at}_pitch_deg"], clip[f"{at}_yaw_deg"]), SFREQ) for at in ("em", "hm"))
    found = {
        "gsr": 1e-6 * clip["eda_uS"][None],
        "temperature": clip["skt_C"][None],
        "bvp": np.stack([clip["bvp_hi"], clip["bvp_lo"]]),
        "cardiac": np.stack([clip["hr_bpm"], clip["ibi_s"]]),
        "pupil": 1e-3 * np.stack([clip["pd_l_mm"], clip["pd_r_mm"]]),
        "gaze": np.concatenate([gaze, clip["fixating"][None]]),
        "head": head,
        "motion": ACC_STEP * motion,
    }
    ratings = np.stack([clip[name] for name in INFO.targets], axis=1)
    signals = {name: Signal(data, SFREQ) for name, data in found.items()}
    return Trial(subject, "1", video, video, seconds, signals, ratings, np.arange(len(ratings)) / SFREQ)


def records(root: Path, size: Size, edition: Edition) -> list[Record]:
    """One file per subject, as :func:`unpack` leaves them."""
    return [Record(s, (f"{s}.safetensors",), edition.name) for s in size.subjects if (root / f"{s}.safetensors").is_file()]


def read(root: Path, record: Record, size: Size) -> Iterator[Trial]:
    """Trials of one subject."""
    yield from read_trials(root / record.files[0])


def synthesize(
    root: Path, size: Size, edition: str, snr: float, seed: int, rating_bias: float = 0.0, threads: int = 1
) -> None:  # fmt: skip
    """Write a twin: the same arrays, of recordings simulated as those of the twin of ``ceap`` and reduced to steps of 0.25 s.

    Every seventh person lacks the intervals of one clip.
    """
    n_trials, seconds = size.per_subject()
    n_latent, n_times = int(np.ceil(seconds * simulate.RATE)) + 2, int(seconds * SFREQ)
    clips = simulate.stimuli(n_trials, n_latent, np.random.default_rng([seed, simulate.STIMULI]))
    arrays: dict[str, Any] = {name: np.empty((len(size.subjects), n_trials, n_times), np.float32) for name in ARRAYS}
    orders = np.empty((len(size.subjects), n_trials), np.int64)
    person = partial(_simulate_person, clips, seconds, n_times, snr, seed, rating_bias)
    for number, recorded in enumerate(in_processes(person, range(len(size.subjects)), threads)):
        orders[number] = 1 + simulate.presented(n_trials, seed, number)
        for name in ARRAYS:
            arrays[name][number] = [clip[name] for clip in recorded]
        if number % 7 == 0:
            arrays["ibi_s"][number, 0] = np.nan
    with io.atomic(root / "ceap_4hz.npz") as temporary:
        np.savez(temporary, t=(np.arange(n_times) / SFREQ).astype(np.float32), video_order=orders, **arrays)


def _simulate_person(
    clips: np.ndarray, seconds: float, n_times: int, snr: float, seed: int, rating_bias: float, number: int
) -> list[dict[str, np.ndarray]]:  # fmt: skip
    """What is left of every clip of the person of this number: name -> (n_times,)."""
    rng, bias = np.random.default_rng([seed, 1 + number]), simulate.rating_bias(rating_bias, seed, number)
    out = []
    for stimulus in clips:
        latent = simulate.appraise(stimulus, rng)
        digitised = _digitise(simulate_clip(latent, seconds, snr, rng), n_times)
        ratings = simulate_ratings(latent, SFREQ, n_times, bias, rng)
        out.append(digitised | dict(zip(INFO.targets, ratings, strict=True)))
    return out


def _digitise(recorded: dict[str, np.ndarray], n_times: int) -> dict[str, np.ndarray]:
    """What of a clip's recordings is left when plots of them are read every 0.25 s: name -> (n_times,)."""
    times = np.arange(n_times) / SFREQ
    columns = {}
    for name in ("acc", "bvp", "eda", "skt"):
        n = round(RATES[name] / SFREQ)
        columns[name] = recorded[name][:, : n * n_times].reshape(len(recorded[name]), n_times, n)
    acc, pulse = columns["acc"].mean(-1), columns["bvp"][0]
    beats = recorded["beats"][0]
    at_eyes = np.round(times * RATES["eyes"]).astype(int)
    (gaze_pitch, gaze_yaw), (head_pitch, head_yaw) = (recorded[name][:, at_eyes] for name in ("gaze", "head"))
    left, right = (np.interp(times, np.flatnonzero(p > 0) / RATES["eyes"], p[p > 0]) for p in recorded["pupils"])
    turning = np.abs(np.gradient(gaze_yaw)) + np.abs(np.gradient(gaze_pitch))
    return {
        "eda_uS": columns["eda"][0, :, 0], "skt_C": columns["skt"][0, :, 0],
        "bvp_hi": pulse.max(-1), "bvp_lo": pulse.min(-1),
        "hr_bpm": np.interp(times, np.arange(recorded["hr"].shape[1]), recorded["hr"][0]),
        "ibi_s": np.interp(times, beats[1:], np.diff(beats)),
        "pd_l_mm": left, "pd_r_mm": right,
        "em_pitch_deg": gaze_pitch, "em_yaw_deg": gaze_yaw, "fixating": turning < np.median(turning),
        "hm_pitch_deg": head_pitch, "hm_yaw_deg": head_yaw,
        "acc_x": acc[0], "acc_y": acc[1], "acc_z": acc[2], "acc_motion": np.ptp(columns["acc"], axis=-1).max(0),
    }  # fmt: skip
