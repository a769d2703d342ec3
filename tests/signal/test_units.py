"""The closed list of units: conversions by hand, and what is refused."""

from __future__ import annotations

import pytest

from himoe import registry
from himoe.signal.units import UNITS, check_units, recorded_units, units_of
from himoe.types import HimoeError, Modality


def modality(unit, n=1):
    return Modality("m", tuple("abcd"[:n]), 4.0, unit, "values")


@pytest.mark.parametrize(
    ("unit", "recorded", "inside", "value"),
    [
        ("uV", 50.0, "V", 5e-5), ("mV", 0.05, "V", 5e-5), ("K", 306.15, "degC", 33.0), ("degF", 98.6, "degC", 37.0),
        ("bpm", 72.0, "1/min", 72.0), ("uS", 4.0, "S", 4e-6), ("ms", 850.0, "s", 0.85), ("deg/s", 180.0, "rad/s", 3.14159265),
        ("g", 1.0, "m/s^2", 9.80665), ("kohm", 250.0, "ohm", 250_000.0), ("mm", 3.0, "m", 0.003),
    ],
)  # fmt: skip
def test_conversions_by_hand(unit, recorded, inside, value):
    into, factor, offset = UNITS[unit]
    assert into == inside
    assert factor * recorded + offset == pytest.approx(value)


def test_a_unit_inside_is_its_own():
    """What a conversion leads to is not converted again."""
    assert all(UNITS[into] == (into, 1.0, 0.0) for into, _, _ in UNITS.values())


def test_units_of_channels():
    assert units_of(modality("degC", 2)) == ("degC", "degC")
    assert units_of(modality("bpm, ms", 2)) == ("1/min", "s")
    assert recorded_units(modality("bpm, ms", 2)) == ("bpm", "ms")
    assert units_of(modality("1, rad/s", 4)) == ("", "", "", "")  # which of the four has which is not said


def test_a_unit_that_is_not_in_the_list_is_refused():
    with pytest.raises(HimoeError, match=r"^where: m: there is no unit 'volts'; valid units: V, mV, uV"):
        check_units(modality("volts"), "where")


def test_units_to_convert_must_be_of_a_channel():
    check_units(modality("1, rad/s", 4), "where")  # nothing is to be done for these
    with pytest.raises(HimoeError, match=r"^where: m: 2 units for 4 channels; name one, or one for each, where deg/s"):
        check_units(modality("1, deg/s", 4), "where")


@pytest.mark.parametrize("dataset", registry.available("datasets"))
def test_what_is_shipped_is_in_units_inside(dataset):
    """Its readers convert by themselves: its tokens stay as they are."""
    for m in registry.peek("datasets", dataset)["INFO"].modalities:
        check_units(m, dataset)
        assert all(UNITS[unit] == (unit, 1.0, 0.0) for unit in m.unit.split(", "))
