"""Config files as they are written: a key once in each mapping, of bounded size, one document."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from himoe.types import HimoeError

MAX_BYTES = 1 << 20
MAX_VALUES = 100_000  # aliases spelled out


def check_files(paths: Iterable[Path | str]) -> None:
    """HimoeError naming the first file that :func:`read_file` refuses. Snakemake reads them by itself, and of a key that is
    given twice it takes the last value."""
    for path in dict.fromkeys(map(str, paths)):
        read_file(Path(path))


def read_file(path: Path) -> dict[str, Any]:
    """A config file, YAML or JSON, as a mapping.

    Raises
    ------
    HimoeError
        Naming the file, and the line where it can, if it cannot be read, is too large, gives a key twice, refers to itself, or
        is no mapping.
    """
    try:
        if path.exists() and not path.is_file():
            raise HimoeError(f"{path}: not readable as a config file (a folder, pipe or device)")
        if (size := path.stat().st_size) > MAX_BYTES:
            raise HimoeError(f"{path}: {size} bytes, more than the {MAX_BYTES} a config file may have")
        value = _parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise HimoeError(f"{path}: not readable as a config file ({' '.join(str(error).split())})") from error
    if not isinstance(value, dict):
        raise HimoeError(f"{path}: a config file holds keys with values, as in `seeds: [0]`, not {type(value).__name__}")
    return value


def _parse(text: str) -> Any:
    if text.lstrip().startswith("{"):
        with suppress(json.JSONDecodeError):  # YAML may begin so, too
            return json.loads(text, object_pairs_hook=_once)
    if (node := yaml.compose(text, _Once)) is not None:
        _count(node, {}, set())
    return yaml.load(text, _Once) or {}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"the key '{repeated[0]}' is given twice")
    return dict(pairs)


class _Once(yaml.SafeLoader):
    """Refuses a mapping in which a key stands twice; YAML asks for that, its readers do not."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """As the loader's own."""
        seen = set()
        for key, _ in node.value:
            name = (key.tag, str(key.value))
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key '{key.value}' is given twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def _count(node: yaml.Node, known: dict[int, int], above: set[int]) -> int:
    """Values below a node with every alias spelled out."""
    if id(node) in above:
        raise ValueError("it refers to itself")
    if id(node) not in known:
        children = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
        below = children if isinstance(node, yaml.CollectionNode) else []
        known[id(node)] = 1 + sum(_count(child, known, above | {id(node)}) for child in below)
    if known[id(node)] > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES} values, its aliases spelled out")
    return known[id(node)]
