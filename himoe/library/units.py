"""Units as files write them: their names in the closed list, and how they become the unit that a model reads."""

from __future__ import annotations

import numpy as np

from himoe.signal.units import UNITS
from himoe.types import HimoeError

ARBITRARY = "a.u."
OTHER_WORDS = {
    "microsiemens": "uS", "siemens": "S", "volt": "V", "microv": "uV", "celsius": "degC", "oc": "degC", "°c": "degC",
    "c": "degC", "kelvin": "K", "°f": "degF", "ω": "ohm", "kω": "kohm", "bpm": "1/min", "beats/min": "1/min", "au": ARBITRARY,
    "arbitrary": ARBITRARY, "second": "s", "seconds": "s",
}  # fmt: skip


def unit_of(text: str, where: str) -> str:
    """The name in :data:`UNITS` of a unit as files write it (``µV``, ``microsiemens``); empty for one that is not said.

    Raises
    ------
    HimoeError
        Beginning with ``where`` if there is no such unit; with all that there are.
    """
    plain = text.strip().replace("µ", "u").replace("μ", "u")
    if plain.lower() in ("", "n/a", "na", "none"):
        return ""
    if plain in UNITS:
        return plain
    folded = {name.lower(): name for name in UNITS if name not in ("mS", "S", "s", "ms", "Mohm")}  # siemens are no seconds
    if (found := OTHER_WORDS.get(plain.lower()) or folded.get(plain.lower())) is None:
        raise HimoeError(f"{where}: unit '{text}' is not known; valid units: {', '.join(UNITS)}")
    return found


def convert(data: np.ndarray, unit: str, wanted: str, where: str) -> np.ndarray:
    """``data`` in ``unit`` as what a model reads, ``wanted``; resistance becomes conductance, NaN where none was measured.

    ``wanted`` may name several (``1, rad/s``): any of them will do. A model that reads arbitrary units (pulse, breath) takes
    whatever there is.

    Raises
    ------
    HimoeError
        Beginning with ``where`` if no unit is said, or one that is not of the kind that is wanted.
    """
    kinds = [UNITS[name][0] for name in wanted.split(", ") if name]  # a model reads what a data set's unit is converted to
    if not kinds or ARBITRARY in kinds:
        return data
    wanted = " or ".join(kinds)
    if not unit:
        raise HimoeError(f"{where}: no unit; say in a mapping file what it is recorded in (the model reads {wanted})")
    kind, factor, offset = UNITS[unit]
    if kind in kinds:
        return data * factor + offset
    if {kind, wanted} == {"S", "ohm"}:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(data != 0, 1.0 / (data * factor), np.nan)
    raise HimoeError(f"{where}: recorded in {unit}, the model reads {wanted}; is it another channel, or the unit wrong?")
