"""Settings that come as arguments: checked as those of a config file are, and refused in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from himoe.config.errors import explain
from himoe.types import HimoeError

Section = TypeVar("Section", bound=BaseModel)


def section(of: type[Section], settings: Mapping[str, Any] | None, where: str) -> Section:
    """A section of the config with these settings; HimoeError that begins with ``where`` if one is unknown or not valid."""
    given = dict(settings or {})
    try:
        return of(**given)
    except ValidationError as error:
        raise HimoeError(explain(error, of, given, where)) from error
