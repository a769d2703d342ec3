"""Findings of pydantic in one line: path of the key, what is wrong with it, and the nearest valid name."""

from __future__ import annotations

import re
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from himoe.registry import hint

SHAPES = {"list_type": "; write it as a list, [...]", "dict_type": "; write it as {NAME: ...}"}
OTHER_WORDS = {"gpu": "cuda", "cuda:0": "cuda"}


def explain(error: ValidationError, section: type[BaseModel], settings: Any, prefix: str = "") -> str:
    """Every finding about ``settings``, which are no valid ``section``; paths begin with ``prefix``."""
    found: dict[str, list[Any]] = {}
    for finding in error.errors():
        absent = [str(finding["loc"][-1])] if finding["type"] == "missing" else []
        path = ".".join(filter(None, [prefix, *_keys_in(settings, finding["loc"]), *absent]))
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
        return f"{path}: unknown key; {_place_of(str(key), section) or hint(str(key), valid) or _listed(valid)}"
    sentence = " or ".join(dict.fromkeys(finding["msg"].removeprefix("Value error, ") for finding in findings))
    if last["type"] == "missing":
        return f"{path}: is absent"
    if last["type"] != "value_error":
        sentence += f" (got {str(last['input'])[:60]!r})"
    if last["type"] in SHAPES and not isinstance(last["input"], (list, dict)):
        sentence += SHAPES[last["type"]]
    if last["input"] is None:
        sentence += '; a name that YAML takes for nothing must be quoted, as "null"'
    if str(last["input"]) in OTHER_WORDS:
        sentence += f"; write {OTHER_WORDS[str(last['input'])]}"
    elif last["type"] == "literal_error" and (near := hint(str(last["input"]), re.findall("'([^']*)'", last["msg"]))):
        sentence += f"; {near}"
    return f"{path}: {sentence}" if path else sentence


def _place_of(key: str, section: type[BaseModel]) -> str:
    """Where a key that stands at the top belongs, if it is the name of exactly one setting of a section below."""
    below = {
        name: field.annotation.model_fields
        for name, field in section.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    places = [name for name, fields in below.items() if key in fields]
    return f"did you mean '{places[0]}.{key}'?" if len(places) == 1 and key not in section.model_fields else ""


def _listed(valid: list[str]) -> str:
    return "valid keys: " + (", ".join(valid) or "none")


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
