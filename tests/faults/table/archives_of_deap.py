"""Archives in DEAP's folder: packed otherwise, hostile, damaged."""

from __future__ import annotations

import io as memory
import shutil
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.table.arrays import DAT
from tests.faults.table.forms import plain
from tests.faults.table.record import FAULTS, REFUSED, REFUSED_OR_RIGHT, Fault, refused, refused_or_equal


def zipped(pack: Callable[[dict[str, bytes]], bytes], must_refuse: bool, folder: Path) -> str:
    """How a DEAP archive that was packed otherwise is taken."""
    known = plain(DAT)
    DAT.write(folder)
    files = {p.name: p.read_bytes() for p in (folder / "d").glob("*.dat")}
    shutil.rmtree(folder / "d")
    (folder / "d").mkdir()
    (folder / "d/data_preprocessed_python.zip").write_bytes(pack(files))
    return refused(lambda: DAT.read(folder)) if must_refuse else refused_or_equal(lambda: DAT.read(folder), known)


def packed(names: Callable[[str], Any] = lambda n: n, method: int = 8, more: dict[str, bytes] | None = None) -> Any:
    """A zip of the files under other names, with others beside."""

    def pack(files: dict[str, bytes]) -> bytes:
        out = memory.BytesIO()
        with zipfile.ZipFile(out, "w", method) as zipped:
            for name, content in [*((names(n), c) for n, c in files.items()), *(more or {}).items()]:
                zipped.writestr(name, content)
        return out.getvalue()

    return pack


def _link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


def _encrypted(files: dict[str, bytes]) -> bytes:
    content = bytearray(packed()(files))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + at] |= 1
    return bytes(content)


for must, packs in {
    False: {
        "as it is": packed(),
        "folders": packed(lambda n: f"a/b/{n}"),
        "a Mac's": packed(more={"__MACOSX/._s01.dat": b"x"}),
        "LZMA": packed(method=14),
        "bzip2": packed(method=12),
        "stored": packed(method=0),
        "text before it": lambda f: b"#!/bin/sh\n" * 9 + packed()(f),
        "a bomb beside": packed(more={"zeros.bin": bytes(30 << 20)}),
        "a name in umlauts": packed(lambda n: f"dönnées/{n}"),
    },
    True: {
        "climbs": packed(more={"../evil.dat": b"x"}),
        "absolute": packed(more={"/evil.dat": b"x"}),
        "backslash": packed(lambda n: f"a\\{n}"),
        "drive": packed(lambda n: f"C:/{n}"),
        "a link": packed(_link),
        "encrypted": _encrypted,
        "a bomb": lambda f: packed()({"s01.dat": bytes(64 << 20)}),
        "two of one name": packed(more={"x/s01.dat": b"other"}),
        "nested": lambda f: packed()({"inner.zip": packed()(f)}),
        "empty": packed(lambda n: "x"),
        "0 bytes": lambda f: b"",
        "a tar": lambda f: b"data\0" + bytes(512),
        "cut": lambda f: packed()(f)[:-40],
        "capitals": packed(str.upper),
    },
}.items():
    for name, pack in packs.items():
        FAULTS.append(Fault("archives", name, REFUSED if must else REFUSED_OR_RIGHT, partial(zipped, pack, must)))
