"""The JSON of CEAP-360VR: names of its lists, a person's file, the joystick's plane."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from himoe import io
from himoe.types import HimoeError

LABELS = {  # edition -> names of the file's list of people, of a person's clips, of a clip's ratings
    "frame": ("ContinuousAnnotation_FrameData", "Video_Annotation_FrameData", "TimeStamp_Valence_Arousal"),
    "raw": ("ContinuousAnnotation_RawData", "Video_Annotation_RawData", "TimeStamp_Xvalue_Yvalue"),
}
BEHAVIOUR = {
    "frame": ("Behavior_TransData", "Video_Behavior_TransData"),
    "raw": ("Behavior_RawData", "Video_Behavior_RawData"),
}
PHYSIOLOGY = ("Physio_RawData", "Video_Physio_RawData")
LONGEST = 120.0  # s; clips last 60
ACC, XYZ, ANGLES = ("ACC_X", "ACC_Y", "ACC_Z"), ("X", "Y", "Z"), ("Pitch", "Yaw")


class Clips:
    """One person's file: {top: [{ParticipantID, per_clip: [{VideoID, list of samples, ...}, ...]}]}."""

    def __init__(self, path: Path, top: str, per_clip: str, subject: str):
        content = io.read_json(path)
        try:
            person = content[top][0]
            self.path, self.entries = path, {entry["VideoID"]: entry for entry in person[per_clip]}
            owner = str(person["ParticipantID"])
        except (KeyError, IndexError, TypeError) as error:
            raise HimoeError(f"{path}: expected {top}[0].{per_clip}[].VideoID ({error!r})") from error
        if owner.removeprefix("P") != subject.removeprefix("P"):
            raise HimoeError(f"{path}: it is of participant {owner}, not {subject}")

    def samples(self, clip: str, name: str, keys: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Times (n,) in s and values (n_keys, n) of one list of samples; HimoeError where they are none."""
        where = f"{self.path}: {clip}: {name}"
        try:
            listed = self.entries[clip][name]
            rows = [[s["TimeStamp"], *(s[k] for k in keys)] for s in listed]
            if any(isinstance(value, bool) for row in rows for value in row):
                raise ValueError("true or false among them")
            table = np.array(rows, np.float64)
        except (KeyError, TypeError, ValueError) as error:
            raise HimoeError(f"{where}: expected a list of TimeStamp, {', '.join(keys)} as numbers ({error!r})") from error
        table = table.reshape(-1, 1 + len(keys)).T
        if not (np.isfinite(table[0]).all() and (np.diff(table[0]) >= 0).all()):
            raise HimoeError(f"{where}: times are not in increasing order")
        if len(table[0]) and not (table[0][0] < LONGEST and table[0][-1] >= 0):
            first, last = table[0][[0, -1]]
            raise HimoeError(f"{where}: times from {first:g} to {last:g} s are none of a clip: expected seconds from its start")
        return table[0], table[1:]


def shown(path: Path, n_trials: int) -> list[str]:
    """Clips in the order in which a person saw them, from the questionnaire."""
    try:
        clips = [f"V{int(number)}" for number in io.read_json(path)["QuestionnaireData"][0]["VideoOrder"].split()]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise HimoeError(f"{path}: expected QuestionnaireData[0].VideoOrder ({error!r})") from error
    if sorted(clips) != [f"V{i + 1}" for i in range(n_trials)]:
        raise HimoeError(f"{path}: VideoOrder {' '.join(clips)} is not V1 to V{n_trials}, each once")
    return clips


def to_ratings(stick: np.ndarray) -> np.ndarray:
    """Ratings (2, n) of the joystick's X and Y (2, n): its round field stretched along each ray to the square that valence and
    arousal span, what lies beyond the rim at the rim."""
    radius, largest = np.hypot(*stick), np.abs(stick).max(axis=0)
    square = np.clip(stick * np.divide(radius, largest, out=np.ones_like(radius), where=largest > 0), -1, 1)
    return 5 + 4 * square


def to_stick(ratings: np.ndarray) -> np.ndarray:
    """The joystick's X and Y (2, n) for ratings (2, n): the inverse of :func:`to_ratings`."""
    square = (ratings - 5) / 4
    radius, largest = np.hypot(*square), np.abs(square).max(axis=0)
    return square * np.divide(largest, radius, out=np.ones_like(radius), where=radius > 0)


def listed(times: np.ndarray, values: np.ndarray, keys: tuple[str, ...]) -> list[dict[str, float]]:
    """Samples (n_keys, n) at ``times`` (n,) as the files list them, with three decimals."""
    rows = np.column_stack([times, np.asarray(values).T]).round(3).tolist()
    return [dict(zip(("TimeStamp", *keys), row, strict=True)) for row in rows]
