"""Findings of pydantic in one line: path of the key, what is wrong with it, and the nearest valid name."""

from __future__ import annotations

import re
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from himoe.registry import hint


def explain(error: ValidationError, section: type[BaseModel], settings: Any, prefix: str = "") -> str:
    """Every finding about ``settings``, which are no valid ``section``; paths begin with ``prefix``."""
    found: dict[str, list[Any]] = {}
    for finding in error.errors():
        path = ".".join(filter(None, [prefix, *_keys_in(settings, finding["loc"])]))
        found.setdefault(path, []).append(finding)
    return "; ".join(_line(path, findings, section) for path, findings in found.items())


def _keys_in(settings: Any, location: tuple[int | str, ...]) -> list[str]:
    """The part of a location that the user wrote: pydantic appends the name of a type, or ``[key]``."""
    keys = []
    for part in location:
        try:
            settings = settings[part]
        except (KeyError, IndexError, TypeError):
            break
        keys.append(text if (text := str(part)).isprintable() else repr(part))
    return keys


def _line(path: str, findings: list[Any], section: type[BaseModel]) -> str:
    """What is wrong at a path; where a value may have one of several types, pydantic has a finding for each."""
    last = findings[-1]
    if last["type"] == "extra_forbidden":
        *parents, key = last["loc"]
        valid = list(_section_at(section, parents))
        return f"{path}: unknown key; {hint(str(key), valid) or 'valid keys: ' + (', '.join(valid) or 'none')}"
    sentence = " or ".join(dict.fromkeys(finding["msg"].removeprefix("Value error, ") for finding in findings))
    if last["type"] != "value_error":
        sentence += f" (got {str(last['input'])[:60]!r})"
    if last["type"] == "literal_error" and (near := hint(str(last["input"]), re.findall("'([^']*)'", last["msg"]))):
        sentence += f"; {near}"
    return f"{path}: {sentence}" if path else sentence


def _section_at(section: type[BaseModel], location: list[int | str]) -> dict[str, Any]:
    """Fields of the section at a location; empty where that is no section."""
    kind: Any = section
    for part in location:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation
        else:
            kind = (get_args(kind) or (None,))[-1]  # values of a dict, elements of a list
    return getattr(kind, "model_fields", {})
