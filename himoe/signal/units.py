"""Units of recordings: a closed list, and how each becomes the one that is worked with. Free of numpy: read with a config."""

from __future__ import annotations

import math

from himoe.types import HimoeError, Modality

AS_IT_IS = (1.0, 0.0)
# Unit -> (unit inside, factor, offset): inside = factor * recorded + offset. Each unit inside stands for a dimension; from one
# dimension to another (resistance to conductance, intervals to rates) nothing is converted: that is the reader's to do.
UNITS: dict[str, tuple[str, float, float]] = {
    "V": ("V", 1.0, 0.0), "mV": ("V", 1e-3, 0.0), "uV": ("V", 1e-6, 0.0), "nV": ("V", 1e-9, 0.0),
    "S": ("S", 1.0, 0.0), "mS": ("S", 1e-3, 0.0), "uS": ("S", 1e-6, 0.0), "nS": ("S", 1e-9, 0.0),
    "ohm": ("ohm", 1.0, 0.0), "kohm": ("ohm", 1e3, 0.0), "Mohm": ("ohm", 1e6, 0.0),
    "degC": ("degC", 1.0, 0.0), "K": ("degC", 1.0, -273.15), "degF": ("degC", 5 / 9, -160 / 9),
    "1/min": ("1/min", 1.0, 0.0), "bpm": ("1/min", 1.0, 0.0), "1/s": ("1/s", 1.0, 0.0), "Hz": ("1/s", 1.0, 0.0),
    "s": ("s", 1.0, 0.0), "ms": ("s", 1e-3, 0.0), "m": ("m", 1.0, 0.0), "cm": ("m", 1e-2, 0.0), "mm": ("m", 1e-3, 0.0),
    "rad/s": ("rad/s", 1.0, 0.0), "deg/s": ("rad/s", math.pi / 180, 0.0),
    "m/s^2": ("m/s^2", 1.0, 0.0), "g": ("m/s^2", 9.80665, 0.0), "m/s^3": ("m/s^3", 1.0, 0.0),
    "uV^2": ("uV^2", 1.0, 0.0),  # of band powers, whose logarithm is taken
    "1": ("1", 1.0, 0.0), "%": ("%", 1.0, 0.0), "SD": ("SD", 1.0, 0.0), "a.u.": ("a.u.", 1.0, 0.0),
}  # fmt: skip


def recorded_units(modality: Modality) -> tuple[str, ...]:
    """The unit that each channel is recorded in; empty where a modality names several and not one for each."""
    named, n_chans = modality.unit.split(", "), len(modality.channels)
    each = named * n_chans if len(named) == 1 else named
    return tuple(each) if len(each) == n_chans else ("",) * n_chans


def units_of(modality: Modality) -> tuple[str, ...]:
    """The unit that each channel is worked with in; empty where it is not known which of several it has."""
    return tuple(unit and UNITS[unit][0] for unit in recorded_units(modality))


def check_units(modality: Modality, where: str) -> None:
    """HimoeError, beginning with ``where``, where a unit is not in the list, or must be converted and no channel has it."""
    named = modality.unit.split(", ")
    for unit in named:
        if unit not in UNITS:
            raise HimoeError(f"{where}: {modality.name}: there is no unit '{unit}'; valid units: {', '.join(UNITS)}")
        if UNITS[unit][1:] != AS_IT_IS and unit not in recorded_units(modality):
            n = f"{len(named)} units for {len(modality.channels)} channels"
            raise HimoeError(f"{where}: {modality.name}: {n}; name one, or one for each, where {unit} is to be converted")
