"""Numbers of the paper as config/reported.yaml states them, checked when they are read."""

from __future__ import annotations

from typing import Any

from pydantic import Field, TypeAdapter, ValidationError

from himoe.config.sections import Name, Positive, Strict
from himoe.types import HimoeError


class Reported(Strict):
    """A number that somebody has read in the paper, and where."""

    dataset: Name
    target: Name
    model: Name
    metric: Name
    value: float = Field(allow_inf_nan=False)
    within: Positive | None = Field(default=None, description="difference either way that does not matter, set before the run")
    table: str | int = ""
    page: str | int = ""
    read_by: str = ""


def parse_reported(entries: Any) -> list[Reported]:
    """The ``values`` of config/reported.yaml, checked; HimoeError with the place of the first that is not valid."""
    try:
        return TypeAdapter(list[Reported]).validate_python(entries)
    except ValidationError as error:
        first = error.errors()[0]
        raise HimoeError(f"config/reported.yaml: values.{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
