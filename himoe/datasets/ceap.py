"""CEAP-360VR (Xue et al. 2021): joystick valence and arousal while 360-degree clips are watched in a headset.

Each person's JSON files hold one entry per clip, in it lists of samples with time stamps in s from the clip's start.

========================================================  ==========================================================
``3_AnnotationData/Frame`` (or ``Raw``)                   valence, arousal in 1..9 at the clip's frame rate (or the
                                                          joystick's X, Y at about 8 Hz, irregular)
``4_BehaviorData/Transformed`` (or ``Raw``)               ``HM`` head, ``EM`` gaze: pitch, yaw in degrees (or Euler angles
                                                          and a direction); ``LPD``, ``RPD`` pupils in mm, 0 when shut
``5_PhysioData/Raw``                                      Empatica E4: ACC 1/64 g, BVP, EDA uS, SKT degree C, HR 1/min,
                                                          IBI s (irregular)
``2_QuestionnaireData``                                   the order in which the clips were shown
========================================================  ==========================================================

Verified against genuine files: questionnaires, annotations of both levels (Raw, mapped as here and interpolated, gives Frame
within its three decimals for 255 of 256 clips). Known from the owners' scripts and the printed output of their notebook
alone: keys, units and rates of behaviour and physiology.

Not read, because their scripts show what is lost: ``Frame`` and ``Transformed`` physiology is scaled to 0..1 within each clip
after a low-pass filter made for 4 Hz (also of BVP, at 64 Hz); the right pupil of ``Frame`` behaviour is mixed with the left.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from himoe import io
from himoe.data.processes import in_processes
from himoe.datasets._ceap import ACC_STEP, RATES, direction, simulate_clip, simulate_ratings, with_speed
from himoe.datasets._ceap_json import (
    ACC,
    ANGLES,
    BEHAVIOUR,
    LABELS,
    PHYSIOLOGY,
    XYZ,
    Clips,
    listed,
    shown,
    to_ratings,
    to_stick,
)
from himoe.signal import simulate
from himoe.signal.clock import on_grid
from himoe.types import DatasetInfo, Download, Edition, HimoeError, Modality, Record, Signal, Size, Trial

INFO = DatasetInfo(
    title="CEAP-360VR",
    citation="Xue, El Ali, Zhang, Ding & Cesar, CEAP-360VR: A Continuous Physiological and Behavioral Emotion Annotation "
    "Dataset for 360-degree VR Videos, IEEE Transactions on Multimedia, 2021, doi:10.1109/TMM.2021.3124080",
    licence="CC BY-NC-SA 4.0 (its License.txt says CC BY-NC 4.0 and links to by-nc-sa)",
    access="clone the public repository cwi-dis/CEAP-360VR-Dataset and place its folder CEAP-360VR here, or its zip",
    editions=(
        Edition(
            "frame",
            (
                "3_AnnotationData/Frame/{subject}_Annotation_FrameData.json",
                "4_BehaviorData/Transformed/{subject}_Behavior_TransData.json",
                "5_PhysioData/Raw/{subject}_Physio_RawData.json",
                "2_QuestionnaireData/{subject}_Questionnaire_Data.json",
            ),
            ("CEAP-360VR*.zip",),
        ),
        Edition(
            "raw",
            (
                "3_AnnotationData/Raw/{subject}_Annotation_RawData.json",
                "4_BehaviorData/Raw/{subject}_Behavior_RawData.json",
                "5_PhysioData/Raw/{subject}_Physio_RawData.json",
                "2_QuestionnaireData/{subject}_Questionnaire_Data.json",
            ),
            ("CEAP-360VR*.zip",),
        ),
    ),
    downloads=(
        Download(
            "frame",
            "https://github.com/cwi-dis/CEAP-360VR-Dataset/archive/d41a82128542f404d5022ca336bc4efd2910d165.zip",
            "CEAP-360VR-Dataset.zip", "", ("codeload.github.com",),
        ),
        Download(
            "raw",
            "https://github.com/cwi-dis/CEAP-360VR-Dataset/archive/d41a82128542f404d5022ca336bc4efd2910d165.zip",
            "CEAP-360VR-Dataset.zip", "", ("codeload.github.com",),
        ),
    ),
    subjects=(
        "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P11", "P12", "P13", "P14", "P15", "P16", "P17", "P18",
        "P19", "P20", "P21", "P22", "P23", "P24", "P25", "P26", "P27", "P28", "P29", "P30", "P31", "P32",
    ),
    n_trials=8,
    seconds=60.0,
    modalities=(
        Modality("gsr", ("eda",), 4.0, "S", "gsr"),
        Modality("temperature", ("skt",), 4.0, "degC", "temperature"),
        Modality("bvp", ("bvp",), 64.0, "a.u.", "ppg"),
        Modality("cardiac", ("heart_rate", "inter_beat_interval"), 4.0, "1/min, s", "values"),
        Modality("pupil", ("left", "right"), 120.0, "m", "values"),
        Modality("gaze", ("x", "y", "z", "speed"), 120.0, "1, rad/s", "values"),
        Modality("head", ("x", "y", "z", "speed"), 120.0, "1, rad/s", "values"),
        Modality("motion", ("x", "y", "z", "change"), 32.0, "m/s^2, m/s^3", "values"),
    ),
    targets=("valence", "arousal"),
    default_targets=("valence", "arousal"),
    target_range=(1.0, 9.0),
    per_token=True,
    token_rate=1.0,
    token_window=2.0,
    folder="CEAP-360VR",
    caveats=(
        "pupil (brightness) and head tell which clip is on, and the clip tells much of the ratings: see variants",
        "one clip for all of a kind: judge on unseen clips too, and on what is left within a clip",
        "the ratings lag behind the feeling by the annotator's reaction time: see annotator_lag",
        "wrist EDA is low (many people under 0.3 uS); inter-beat intervals are absent where beats were not found",
        "P15 on V8: the owners corrected the raw annotation later and not the one per frame; editions: {ceap: raw} reads it",
    ),
)  # fmt: skip
MAX_GAP = 0.5  # s over which a recording is interpolated: a blink, a few samples of the wristband
HEART = {"HR": (20.0, 250.0, 2.5), "IBI": (0.2, 3.0, 3.0)}  # what a heart can do (1/min, s), and over how many s it is known
TWIN_FRAME_RATES = {"V1": 25}  # Hz; of the others 30
TWIN_STEPS = (0.083, 0.166, 0.12, 0.008)  # s between two raw ratings: shortest, longest, mean, SD; as measured in all 256


def records(root: Path, size: Size, edition: Edition) -> list[Record]:
    """Annotation, behaviour, physiology and questionnaire of each subject that has all four."""
    return edition.complete(root, size.subjects)


def read(root: Path, record: Record, size: Size) -> Iterator[Trial]:
    """One trial per clip, in the order in which this person saw them.

    Raises
    ------
    HimoeError
        Naming file, clip and list if keys, clock or range of the ratings are not CEAP-360VR's.
    """
    edition, paths = record.edition, [root / name for name in record.files]
    n_trials, seconds = size.per_subject()
    labels = Clips(paths[0], *LABELS[edition][:2], record.subject)
    behaviour = Clips(paths[1], *BEHAVIOUR[edition], record.subject)
    physiology = Clips(paths[2], *PHYSIOLOGY, record.subject)
    for clip in shown(paths[3], n_trials):
        times, ratings = read_ratings(labels, clip, edition)
        found = _wristband(physiology, clip, seconds) | _headset(behaviour, clip, seconds, edition)
        signals = {m.name: Signal(found[m.name], m.sfreq) for m in INFO.modalities if np.isfinite(found[m.name]).any()}
        yield Trial(record.subject, "1", clip, clip, seconds, signals, ratings, times)


def read_ratings(labels: Clips, clip: str, edition: str) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) in s and ratings (n, 2) of valence and arousal, as they were stamped."""
    keys = ("Valence", "Arousal") if edition == "frame" else ("X_Value", "Y_Value")
    times, values = labels.samples(clip, LABELS[edition][2], keys)
    values = values if edition == "frame" else to_ratings(values)
    low, high = INFO.target_range
    if not (len(times) and ((values >= low) & (values <= high)).all()):
        raise HimoeError(f"{labels.path}: {clip}: no ratings, or one outside {low:g}..{high:g}")
    return times, values.T


def _wristband(physiology: Clips, clip: str, seconds: float) -> dict[str, np.ndarray]:
    """Modality -> (n_chans, n_times) in SI units, NaN where nothing was recorded."""

    def grid(name: str, keys: tuple[str, ...], sfreq: float) -> np.ndarray:
        return on_grid(*physiology.samples(clip, f"{name}_RawData", keys), sfreq, 0.0, seconds, MAX_GAP)

    def heart(name: str) -> np.ndarray:
        (times, values), (low, high, max_gap) = physiology.samples(clip, f"{name}_RawData", (name,)), HEART[name]
        possible = np.where((values >= low) & (values <= high), values, np.nan)  # of P2 and P12 the two may be swapped
        return on_grid(times, possible, 4.0, 0.0, seconds, max_gap)

    return {
        "gsr": grid("EDA", ("EDA",), RATES["eda"]) * 1e-6,
        "temperature": grid("SKT", ("SKT",), RATES["skt"]),
        "bvp": grid("BVP", ("BVP",), RATES["bvp"]),
        "cardiac": np.concatenate([heart("HR"), heart("IBI")]),
        "motion": with_speed(ACC_STEP * grid("ACC", ACC, RATES["acc"]), RATES["acc"]),
    }


def _headset(behaviour: Clips, clip: str, seconds: float, edition: str) -> dict[str, np.ndarray]:
    """Modality -> (n_chans, n_times): pupils in m, NaN when shut; gaze and head as directions and their speed."""

    def grid(times: np.ndarray, values: np.ndarray) -> np.ndarray:
        return on_grid(times, values, RATES["eyes"], 0.0, seconds, MAX_GAP)

    pupils = []
    for name in ("LPD", "RPD"):
        times, diameter = behaviour.samples(clip, name, ("PD",))
        pupils.append(grid(times, np.where(diameter > 0, diameter, np.nan) * 1e-3))
    out = {"pupil": np.concatenate(pupils)}
    for modality, name in (("gaze", "EM"), ("head", "HM")):
        times, values = behaviour.samples(clip, name, XYZ if edition == "raw" else ANGLES)
        if edition == "raw" and name == "EM":
            length = np.linalg.norm(values, axis=0)
            towards = values / np.where(length > 0, length, np.nan)
        else:
            towards = direction(*values[:2])  # Euler angles X, Y of the head are pitch and yaw
        out[modality] = with_speed(grid(times, towards), RATES["eyes"])
    return out


def synthesize(
    root: Path, size: Size, edition: str, snr: float, seed: int, rating_bias: float = 0.0, threads: int = 1
) -> None:  # fmt: skip
    """Write a twin: the same JSON, clocks and rates, clips in an order of each person's own, ratings that lag behind by 2 s.

    Lists that are not read (``LEM``, ``REM``, other levels) are not written.
    """
    n_trials, seconds = size.per_subject()
    clips = simulate.stimuli(
        n_trials, int(np.ceil(seconds * simulate.RATE)) + 2, np.random.default_rng([seed, simulate.STIMULI])
    )
    person = partial(_write_person, root, clips, seconds, edition, snr, seed, rating_bias)
    for _ in in_processes(person, enumerate(size.subjects), threads):
        pass


def _write_person(
    root: Path, clips: np.ndarray, seconds: float, edition: str, snr: float, seed: int, rating_bias: float,
    who: tuple[int, str],
) -> None:  # fmt: skip
    """The files of one person, ``who`` a number and a name."""
    number, subject = who
    rng, bias = np.random.default_rng([seed, 1 + number]), simulate.rating_bias(rating_bias, seed, number)
    written: list[list[dict[str, Any]]] = [[], [], []]
    for clip, stimulus in enumerate(clips):
        name, latent = f"V{clip + 1}", simulate.appraise(stimulus, rng)
        recorded = simulate_clip(latent, seconds, snr, rng)
        lists = (
            {LABELS[edition][2]: _twin_ratings(latent, name, seconds, edition, bias, rng)},
            _twin_headset(recorded, edition, rng),
            _twin_wristband(recorded),
        )
        for entries, named in zip(written, lists, strict=True):
            entries.append({"VideoID": name, **named})
    order = " ".join(str(clip + 1) for clip in simulate.presented(len(clips), seed, number))
    questionnaire = {"QuestionnaireData": [{"ParticipantID": subject, "VideoOrder": f"{order} "}]}
    kinds = (LABELS[edition][:2], BEHAVIOUR[edition], PHYSIOLOGY)
    people = [{top: [{"ParticipantID": subject, per: e}]} for (top, per), e in zip(kinds, written, strict=True)]
    wanted = next(e for e in INFO.editions if e.name == edition)
    for path, content in zip(wanted.patterns(subject), [*people, questionnaire], strict=True):
        io.write_text(root / path, json.dumps(content))


def _twin_ratings(
    latent: np.ndarray, clip: str, seconds: float, edition: str, bias: np.ndarray, rng: np.random.Generator
) -> list[dict[str, float]]:
    if edition == "frame":
        n_frames = round(seconds * TWIN_FRAME_RATES.get(clip, 30))
        ratings = simulate_ratings(latent, n_frames / seconds, n_frames, bias, rng)
        return listed(np.linspace(0, seconds, n_frames), ratings, ("Valence", "Arousal"))
    shortest, longest, mean, spread = TWIN_STEPS
    steps = np.clip(mean + spread * rng.standard_normal(round(seconds / shortest)), shortest, longest)
    times = np.cumsum(steps)
    times = times[times <= seconds]
    ratings = simulate_ratings(latent, simulate.RATE, round(seconds * simulate.RATE), bias, rng)
    at = np.minimum((times * simulate.RATE).astype(int), ratings.shape[1] - 1)
    return listed(times, to_stick(ratings[:, at]), ("X_Value", "Y_Value"))


def _twin_headset(recorded: dict[str, np.ndarray], edition: str, rng: np.random.Generator) -> dict[str, Any]:
    """Lists of an entry for behaviour; samples come when the engine draws, up to 2 ms late."""
    times = np.arange(recorded["pupils"].shape[1]) / RATES["eyes"]
    times = times + rng.uniform(0, 0.002, len(times))
    out = {name: listed(times, recorded["pupils"][[row]], ("PD",)) for row, name in enumerate(("LPD", "RPD"))}
    head, gaze = recorded["head"], recorded["gaze"]
    if edition == "frame":
        return {"HM": listed(times, head, ANGLES), "EM": listed(times, gaze, ANGLES)} | out
    euler = np.concatenate([head % 360, np.zeros((1, len(times)))])
    return {"HM": listed(times, euler, XYZ), "EM": listed(times, direction(*gaze), XYZ)} | out


def _twin_wristband(recorded: dict[str, np.ndarray]) -> dict[str, Any]:
    """Lists of an entry for physiology."""
    out = {}
    for name, keys in (("ACC", ACC), ("BVP", ("BVP",)), ("EDA", ("EDA",)), ("SKT", ("SKT",)), ("HR", ("HR",))):
        values = recorded[name.lower()]
        out[f"{name}_RawData"] = listed(np.arange(values.shape[1]) / RATES[name.lower()], values, keys)
    beats = recorded["beats"][0]
    return out | {"IBI_RawData": listed(beats[1:], np.diff(beats)[None], ("IBI",))}
