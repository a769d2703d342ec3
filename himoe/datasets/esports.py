"""eSports Sensors Dataset (Smerdov et al. 2020, CC BY 4.0), the player-sessions with EEG.

``matches/match_<m>/player_<p>/<modality>.csv`` on a 1 Hz grid, really incomplete, with targets that vary within a
session. The subject is the player: (team in meta_info.json, player index). The targets are a headset vendor's estimates
from the same EEG, not emotion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from himoe import io
from himoe.data.columns import read_columns
from himoe.signal import simulate
from himoe.types import DatasetInfo, Edition, HimoeError, Modality, Record, Signal, Size, Trial

INFO = DatasetInfo(
    title="eSports Sensors",
    citation="Smerdov, Zhou, Lukowicz & Somov, Collection and Validation of Psychophysiological Data from Professional and "
    "Amateur Players: a Multimodal eSports Dataset, arXiv:2011.00958, 2020",
    licence="CC BY 4.0",
    access="clone the public repository smerdov/eSports_Sensors_Dataset and place its folder 'matches' here",
    editions=(
        Edition(
            "csv",
            ("matches/match_*/player_*/*.csv", "matches/match_*/meta_info.json"),
            ("eSports_Sensors_Dataset*.zip", "matches*.zip"),
        ),
    ),
    subjects=(
        "amateurs-1", "amateurs-2", "amateurs-3", "amateurs-4", "pros-1", "pros-2", "pros-3", "pros-4",
    ),
    n_trials=None,
    seconds=None,
    modalities=(
        Modality(
            "eeg_band_power",
            (
                "AF3/theta", "AF3/alpha", "AF3/betaL", "AF3/betaH", "AF3/gamma",
                "T7/theta", "T7/alpha", "T7/betaL", "T7/betaH", "T7/gamma",
                "Pz/theta", "Pz/alpha", "Pz/betaL", "Pz/betaH", "Pz/gamma",
                "T8/theta", "T8/alpha", "T8/betaL", "T8/betaH", "T8/gamma",
                "AF4/theta", "AF4/alpha", "AF4/betaL", "AF4/betaH", "AF4/gamma",
            ),
            1.0, "uV^2", "log_values", "none",
        ),
        Modality("emg", ("emg_right_hand", "emg_left_hand"), 1.0, "a.u.", "values"),
        Modality("gsr", ("gsr",), 1.0, "ohm", "values"),
        Modality("heart_rate", ("heart_rate",), 1.0, "1/min", "values"),
        Modality("spo2", ("spo2",), 1.0, "%", "values"),
        Modality("facial_skin_temperature", ("facial_skin_temperature",), 1.0, "degC", "values"),
        Modality("eye_tracker", ("gaze_movement", "pupil_diameter"), 1.0, "a.u.", "values"),
        Modality("imu_head", ("rot_x", "rot_y", "rot_z"), 1.0, "a.u.", "values"),
        Modality("mouse", ("mouse_movement", "mouse_clicks"), 1.0, "1/s", "values"),
        Modality("keyboard", ("buttons_pressed",), 1.0, "1/s", "values"),
    ),
    targets=("Engagement", "Excitement", "Stress", "Relaxation", "Interest", "Focus"),
    default_targets=("Engagement",),
    target_range=(0.0, 1.0),
    per_token=True,
    token_rate=1.0,
    token_window=1.0,
    folder="esports_sensors",
    caveats=(
        "targets are a vendor's estimates from the same EEG headset: EEG to target is partly circular, no claim about emotion",
        "eight players, 34 sessions; whole modalities are absent in some sessions and others stop early",
    ),
)  # fmt: skip

MAX_SECONDS = 86400
LEVELS = {"1/min": (4.3, 0.1), "degC": (3.5, 0.02)}  # unit -> ln of a twin's level and its spread: 74/min, 33 degC


def records(root: Path, size: Size, edition: Edition) -> list[Record]:
    """Sessions with EEG metrics, grouped by player.

    Raises
    ------
    HimoeError
        Naming a folder, a file or a player that is none of the data set's: a copy under another name would be a session more.
    """
    found: dict[str, list[str]] = {}
    matches = {_number(folder, "match"): folder for folder in root.glob("matches/*/") if any(folder.glob("player*"))}
    for _, match in sorted(matches.items()):
        team = _team(match / "meta_info.json")
        for metrics in sorted(match.glob("player*/eeg_metrics.csv")):
            subject, files = f"{team}-{_number(metrics.parent, 'player')}", sorted(metrics.parent.glob("*.csv"))
            if subject not in INFO.subjects:
                raise HimoeError(f"{metrics.parent}: there is no player {subject}; valid names: {', '.join(INFO.subjects)}")
            if unknown := [p for p in files if p.stem not in ("eeg_metrics", *(m.name for m in INFO.modalities))]:
                raise HimoeError(f"{unknown[0]}: no file of the data set; move it out of the folder")
            found.setdefault(subject, []).extend(str(p.relative_to(root)) for p in files)
    return [Record(s, tuple(found[s]), edition.name) for s in size.subjects if s in found]


def _number(folder: Path, kind: str) -> int:
    """3 of ``match_3``; a copy's name (``match_3_old``, ``match_03``) is refused."""
    if not re.fullmatch(rf"{kind}_(0|[1-9][0-9]{{0,3}})", folder.name):
        raise HimoeError(f"{folder}: not named {kind}_NUMBER; move it out of the folder, it would be read beside the others")
    return int(folder.name.partition("_")[2])


def _team(meta: Path) -> str:
    try:
        return str(json.loads(meta.read_text(encoding="utf-8"))["team"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise HimoeError(f"{meta}: no 'team' in it ({error})") from error


def read(root: Path, record: Record, size: Size) -> Iterator[Trial]:
    """One trial per session, from the first to the last labelled second; a sample at second t covers [t, t + 1)."""
    sessions: dict[str, dict[str, Path]] = {}
    for name in record.files:
        path = root / name
        sessions.setdefault(path.parent.parent.name, {})[path.stem] = path
    for match, files in sessions.items():
        labels = _grid(files["eeg_metrics"], INFO.targets)
        if labels.empty:
            raise HimoeError(f"{files['eeg_metrics']}: no labels in it")
        first, last = labels.index[0], labels.index[-1] + 1
        low, high = INFO.target_range
        values = labels.to_numpy()
        if (values < low).any() or (values > high).any():
            raise HimoeError(f"{files['eeg_metrics']}: a target is outside {low:g}..{high:g}")
        signals = {}
        for modality in INFO.modalities:
            if modality.name in files:
                series = _grid(files[modality.name], modality.channels)
                if len(series):
                    if series.index[-1] < first or series.index[0] >= last:
                        when = f"seconds {series.index[0]} to {series.index[-1]}"
                        raise HimoeError(f"{files[modality.name]}: {when}, labels {first} to {last - 1}: are the clocks one?")
                    signals[modality.name] = Signal(series.to_numpy().T, 1.0, float(series.index[0] - first))
        times = labels.index.to_numpy(float) - first + 0.5
        yield Trial(record.subject, match, match, match, float(last - first), signals, values, times)


def _grid(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """The columns on a whole 1 Hz grid, gaps as NaN."""
    try:
        _refuse_ragged(path)
    except (OSError, ValueError) as error:
        raise HimoeError(f"{path}: expected columns time, {', '.join(columns)} of numbers ({error})") from error
    frame = read_columns(path, ("time", *columns))
    seconds = frame.pop("time").to_numpy()
    if not np.isfinite(seconds).all() or np.abs(seconds - np.rint(seconds)).max(initial=0) > 0.01:
        raise HimoeError(f"{path}: time is not on a 1 Hz grid")
    if not (np.diff(seconds) > 0).all():
        raise HimoeError(f"{path}: seconds are not in increasing order")
    if len(frame) > 1 and (np.median(np.diff(seconds)) > 1.5 or seconds[-1] - seconds[0] > MAX_SECONDS):
        raise HimoeError(
            f"{path}: times from {seconds[0]:.0f} to {seconds[-1]:.0f} for {len(frame)} rows are not seconds of a match"
        )
    frame.index = np.rint(seconds).astype(int)
    return frame.reindex(range(frame.index[0], frame.index[-1] + 1)) if len(frame) else frame


def _refuse_ragged(path: Path) -> None:
    """ValueError if a row has other fields than the header: pandas fills up what a cut has taken."""
    rows = [line.count(",") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if odd := [number for number, fields in enumerate(rows, 1) if fields != rows[0]]:
        raise ValueError(f"line {odd[0]} has {1 + rows[odd[0] - 1]} of {1 + rows[0]} fields; is the file cut?")


def synthesize(root: Path, size: Size, edition: str, snr: float, seed: int) -> None:
    """Write a twin: the same tree and columns, every other session without an eye tracker, EEG that starts late."""
    n_sessions, seconds = size.n_trials or 3, int(size.seconds or 200)
    numbers = {"amateurs": 1, "pros": 1 + n_sessions}
    weights = np.random.default_rng([seed, 0]).standard_normal((25, 2))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    for number, subject in enumerate(size.subjects):
        team, player = subject.rsplit("-", 1)
        for session in range(n_sessions):
            rng = np.random.default_rng([seed, 1 + number, session])
            n_latent = int(seconds * simulate.RATE) + 2
            latent = simulate.ornstein_uhlenbeck((2, n_latent), 30.0, rng)
            match = root / "matches" / f"match_{numbers[team] + session}"
            io.write_text(match / "meta_info.json", json.dumps({"match_duration": seconds, "team": team}))
            folder = match / f"player_{player}"
            drives = {m.name: rng.standard_normal((len(m.channels), 2)) * 0.2 for m in INFO.modalities}
            drives["eeg_band_power"] = weights
            for modality in INFO.modalities:
                if modality.name == "eye_tracker" and session % 2:
                    continue
                late = 8 if modality.name == "eeg_band_power" else 0
                moved = simulate.modulation(drives[modality.name] @ latent, snr, rng)
                level, spread = LEVELS.get(modality.unit, (3.0, 0.3))
                series = np.exp(level + spread * simulate.upsample(moved, 1.0, seconds)).T[late:]
                _write(folder / f"{modality.name}.csv", modality.channels, series, late)
            targets = rng.standard_normal((len(INFO.targets), 2))
            targets[0] = (0.6, 0.8)
            scores = np.tanh(0.7 * targets @ simulate.upsample(latent, 1.0, seconds))
            _write(folder / "eeg_metrics.csv", INFO.targets, (0.5 + 0.5 * scores).T[10:-4], 10)


def _write(path: Path, columns: tuple[str, ...], series: np.ndarray, first: int) -> None:
    frame = pd.DataFrame(series, columns=list(columns))
    frame.insert(0, "time", np.arange(first, first + len(series), dtype=float))
    io.write_table(path, frame)
