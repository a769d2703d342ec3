"""Config files as they are written: a key once in each mapping, of bounded size, one document; and where a run may stand."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
import time
import unicodedata
from collections.abc import Hashable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import yaml

from himoe.types import HimoeError

MAX_BYTES = 1 << 20
CLOCK_SECONDS = 60.0  # by which the clock of a file server may be ahead
MAX_VALUES = 100_000  # aliases spelled out
HELD: list[IO[str]] = []


def check_place(*folders: Path | str) -> None:
    """HimoeError naming a folder of the workflow, or of a run, in whose path something stands that the tools cannot take."""
    for folder in map(str, folders):
        if {"{", "}"} & set(folder):
            raise HimoeError(f"{folder}: Snakemake takes braces in a path for wildcards; move it to a path without {{ and }}")
        if ":" in folder:
            raise HimoeError(f"{folder}: a search path cannot hold a folder with a colon in its path; move it")
        odd = {unicodedata.category(letter) for letter in folder} & {"Cc", "Cs"}
        if odd == {"Cs"} and (known := sys.getfilesystemencoding()) != "utf-8":
            remedy = "set LC_ALL=C.UTF-8 and not PYTHONUTF8=0, or move it"
            raise HimoeError(f"{folder}: letters in its path that are not {known}, which the locale knows alone; {remedy}")
        if odd:
            raise HimoeError(f"{folder}: letters in its path that are not UTF-8, or control characters; move it")


def check_writable(*folders: Path) -> None:
    """HimoeError naming the first of these that is there and is no folder, or cannot be written."""
    for folder in folders:
        if os.path.lexists(folder) and not folder.is_dir():
            raise HimoeError(f"{folder.absolute()}: a file or a broken link where the run needs a folder; move it away")
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            raise HimoeError(f"{folder.absolute()}: cannot be written; make the run elsewhere: --directory FOLDER")


def hold(results: Path) -> str:
    """Lock the results until this process ends; says so where another run has. Snakemake's own lock is of the folder it runs
    in, of which several may share results by a link."""
    try:
        (results / "logs").mkdir(parents=True, exist_ok=True)
        lock = open(results / "logs/lock", "w")  # noqa: SIM115
        HELD.append(lock)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        HELD.pop().close()
        return f"{results.resolve()}: another run writes into it; wait for its end, or give each folder its own results"
    except OSError:
        return ""  # a full disk, which the first job names, or a file system without locks
    return ""


def check_times(folder: Path | str, paths: Iterable[Path | str]) -> None:
    """HimoeError if one of these files, all below ``folder``, is from the future: Snakemake takes what is made from it, being
    older, for the output of a job that failed, and deletes it."""
    now = time.time()
    for path in map(Path, paths):
        if path.is_file() and path.stat().st_mtime > now + CLOCK_SECONDS:
            raise HimoeError(
                f"{path}: from the future ({time.ctime(path.stat().st_mtime)}); set the clock right, or make it of now: "
                f"find {folder}/ -newermt now -exec touch -d now {{}} +"
            )


def check_files(paths: Iterable[Path | str]) -> None:
    """HimoeError naming the first file that :func:`read_file` refuses. Snakemake reads them by itself, and of a key that is
    given twice it takes the last value."""
    for path in dict.fromkeys(map(str, paths)):
        read_file(Path(path))


def read_by_hand(path: Path | str) -> Any:
    """What a file of config/ that is no run's holds, claims or studies; HimoeError where it is no YAML."""
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise HimoeError(f"{path}: not readable as YAML ({' '.join(str(error).split())})") from error


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


def _as_written(loader: _Once, node: yaml.ScalarNode) -> float:
    """A number, if it is the one that is written: YAML 1.1 takes ``010`` for 8 and ``1:30`` for 90."""
    is_float, written = node.tag.endswith("float"), node.value
    value = loader.construct_yaml_float(node) if is_float else loader.construct_yaml_int(node)
    if ":" in written or (re.fullmatch(r"[+-]?0[0-7_]+", written) and int(written) != value):
        raise ValueError(f"line {node.start_mark.line + 1}: YAML takes {written} for {value}; write {value}")
    return value


for _kind in ("int", "float"):
    _Once.add_constructor(f"tag:yaml.org,2002:{_kind}", _as_written)


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
