"""Units of recordings: a closed list, each with how it becomes the SI unit that models read."""

from __future__ import annotations

import numpy as np

from himoe.types import HimoeError

ARBITRARY = "a.u."
# unit -> (SI unit, factor, offset): SI = factor * recorded + offset
UNITS: dict[str, tuple[str, float, float]] = {
    "V": ("V", 1.0, 0.0), "mV": ("V", 1e-3, 0.0), "uV": ("V", 1e-6, 0.0), "nV": ("V", 1e-9, 0.0),
    "S": ("S", 1.0, 0.0), "mS": ("S", 1e-3, 0.0), "uS": ("S", 1e-6, 0.0), "nS": ("S", 1e-9, 0.0),
    "ohm": ("ohm", 1.0, 0.0), "kohm": ("ohm", 1e3, 0.0), "Mohm": ("ohm", 1e6, 0.0),
    "degC": ("degC", 1.0, 0.0), "K": ("degC", 1.0, -273.15), "degF": ("degC", 5 / 9, -160 / 9),
    "1/min": ("1/min", 1.0, 0.0), "Hz": ("1/s", 1.0, 0.0), "1/s": ("1/s", 1.0, 0.0),
    "s": ("s", 1.0, 0.0), "ms": ("s", 1e-3, 0.0), "m": ("m", 1.0, 0.0), "mm": ("m", 1e-3, 0.0),
    "rad/s": ("rad/s", 1.0, 0.0), "deg/s": ("rad/s", np.pi / 180, 0.0), "1": ("1", 1.0, 0.0),
    ARBITRARY: (ARBITRARY, 1.0, 0.0),
}  # fmt: skip
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

    A model that reads arbitrary units (pulse, breath) takes any.

    Raises
    ------
    HimoeError
        Beginning with ``where`` if no unit is said, or one that is not of the kind that is wanted.
    """
    if wanted in ("", ARBITRARY):
        return data
    if not unit:
        raise HimoeError(f"{where}: no unit; say in a mapping file what it is recorded in (the model reads {wanted})")
    kind, factor, offset = UNITS[unit]
    if kind == wanted:
        return data * factor + offset
    if {kind, wanted} == {"S", "ohm"}:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(data != 0, 1.0 / (data * factor), np.nan)
    raise HimoeError(f"{where}: recorded in {unit}, the model reads {wanted}; is it another channel, or the unit wrong?")
