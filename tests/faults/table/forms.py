"""Recordings in other forms: what the entries on them share."""

from __future__ import annotations

import io as memory
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import pandas as pd

from tests.faults.fuzz.reader import Reader
from tests.faults.fuzz.worker import identity
from tests.faults.table.record import FAULTS, REFUSED, REFUSED_OR_RIGHT, Fault, refused, refused_or_equal

Change = Callable[[bytes], bytes]


@cache
def plain(reader: Reader) -> str:
    """Identity of what the genuine files hold."""
    with tempfile.TemporaryDirectory() as folder:
        reader.write(Path(folder))
        return identity(reader.read(Path(folder)))


def changed(reader: Reader, change: Change, must_refuse: bool, folder: Path) -> str:
    """How a reader takes a file that was changed."""
    known = plain(reader)
    reader.write(folder)
    file = folder / reader.file
    file.write_bytes(change(file.read_bytes()))
    return refused(lambda: reader.read(folder)) if must_refuse else refused_or_equal(lambda: reader.read(folder), known)


def add(family: str, reader: Reader, changes: dict[str, Change], must_refuse: bool = False) -> None:
    """Entries for one file."""
    for name, change in changes.items():
        attempt = partial(changed, reader, change, must_refuse)
        FAULTS.append(Fault(family, f"{Path(reader.file).name}: {name}", REFUSED if must_refuse else REFUSED_OR_RIGHT, attempt))


def text(change: Callable[[str], str], codec: str = "utf-8") -> Change:
    """Of a text file."""
    return lambda content: change(content.decode()).encode(codec)


def frame(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Change:
    """Of a table."""
    return lambda content: change(pd.read_csv(memory.BytesIO(content))).to_csv(index=False).encode()
