"""MATLAB v5 files leaf by leaf: memory is one array's, whatever the file's size.

``scipy.io.loadmat`` builds the whole tree (about 2 GB for DREAMER.mat); this reader walks it once, in file order, through a
bounded window of the decompressed stream. Format: MathWorks, *MAT-File Format*, version 5.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import numpy as np

from himoe.data.untrusted import refuse_no_file
from himoe.types import HimoeError

LeafPath = tuple[str | int, ...]
CHUNK = 1 << 20
MAX_LEAF_BYTES = 1 << 28
MAX_ITEMS = 1 << 20
MAX_DEPTH, MAX_DIMS, MAX_NAMES, MAX_NAME = 16, 32, 1024, 256
MATRIX, COMPRESSED, UTF8, UTF16 = 14, 15, 16, 17
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
CELL, STRUCT, CHAR = 1, 2, 4
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}


class _Broken(Exception):
    """What is wrong with the bytes; :func:`walk` makes a HimoeError of it that names the file."""


class _Bytes:
    """Bytes of the file, in order."""

    def __init__(self, stream: BinaryIO):
        self.stream = stream

    def read(self, n: int) -> bytes:
        """Exactly n bytes."""
        parts, missing = [], n
        while missing:
            part = self.some(min(missing, CHUNK))
            if not part:
                raise _Broken("it ends too early")
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def some(self, most: int) -> bytes:
        """The next bytes, ``most`` at most; none at the end."""
        return self.stream.read(most)

    def skip(self, n: int) -> None:
        """Pass n bytes without keeping them."""
        self.stream.seek(n, 1)

    def close(self) -> None:
        """Refuse what should have ended here and has not."""


class _InflatedBytes(_Bytes):
    """Bytes of one compressed element of the file, in order."""

    def __init__(self, stream: BinaryIO, n_compressed: int):
        super().__init__(stream)
        self.left = n_compressed
        self.inflate = zlib.decompressobj()

    def some(self, most: int) -> bytes:
        """The next inflated bytes, ``most`` at most; none at the end."""
        while not self.inflate.eof:
            waiting = self.inflate.unconsumed_tail
            if not waiting:
                waiting = self.stream.read(min(self.left, CHUNK))
                self.left -= len(waiting)
            if out := self.inflate.decompress(waiting, most):
                return out
            if not waiting and not self.left:
                break
        return b""

    def skip(self, n: int) -> None:
        """Inflate n bytes without keeping them, so that the checksum still counts."""
        while n:
            n -= len(self.read(min(n, CHUNK)))

    def close(self) -> None:
        """Refuse an element that does not end where its data do, checksum included."""
        if self.some(1) or not self.inflate.eof:
            raise _Broken("a compressed element does not end with its data")
        self.stream.seek(self.left, 1)


class _Header(NamedTuple):
    """What comes first in a matrix element; ``length`` is that of the header itself, bytes."""

    kind: int
    is_complex: bool
    is_logical: bool
    shape: tuple[int, ...]
    name: str
    length: int


class _Walker:
    def __init__(self, order: Literal["<", ">"], want: Callable[[LeafPath], bool]):
        self.order, self.want = order, want

    def tag(self, source: _Bytes) -> tuple[int, int, bytes]:
        """(data type, bytes, the data themselves where they are packed into the tag)."""
        head = source.read(8)
        kind, size = struct.unpack(self.order + "II", head)
        if kind >> 16:
            return kind & 0xFFFF, kind >> 16, head[4 : 4 + min(kind >> 16, 4)]
        return kind, size, b""

    def data(self, source: _Bytes) -> tuple[int, bytes, int]:
        """(data type, bytes, length with tag and padding) of one simple element."""
        kind, size, small = self.tag(source)
        if small or (size == 0 and kind != MATRIX):
            return kind, small[:size], 8
        if size > MAX_LEAF_BYTES:
            raise _Broken(f"an array of {size} bytes")
        padding = -size % 8
        return kind, source.read(size + padding)[:size], 8 + size + padding

    def numbers(self, source: _Bytes) -> tuple[np.ndarray, int]:
        """One simple element as numbers, and its length in the stream."""
        kind, raw, length = self.data(source)
        if kind not in NUMBERS:
            raise _Broken(f"data of type {kind} where numbers belong")
        dtype = np.dtype(NUMBERS[kind]).newbyteorder(self.order)
        if len(raw) % dtype.itemsize:
            raise _Broken("a broken number")
        return np.frombuffer(raw, dtype), length

    def matrix(self, source: _Bytes, size: int, path: LeafPath) -> Iterator[tuple[LeafPath, np.ndarray | str]]:
        """Leaves of one matrix element of ``size`` bytes, whose tag has been read."""
        if len(path) > MAX_DEPTH:
            raise _Broken(f"nested deeper than {MAX_DEPTH} levels")
        if size == 0:  # how MATLAB writes an empty cell
            if not path:
                raise _Broken("an array without a name")
            if self.want(path):
                yield path, np.zeros((0, 0))
            return
        header = self.header(source)
        path, used = path or (header.name,), header.length
        if header.kind in (CELL, STRUCT):
            names, length = self.fields(source) if header.kind == STRUCT else ([], 0)
            used += length
            for child in _children(path, header, names):
                inner, n_bytes, _ = self.tag(source)
                if inner != MATRIX:
                    raise _Broken(f"data of type {inner} where an array belongs")
                used += 8 + n_bytes
                yield from self.matrix(source, n_bytes, child)
        elif not self.want(path):
            source.skip(size - used)
            used = size
        elif header.kind not in CLASSES and header.kind != CHAR:
            raise _Broken(f"{_named(path)} is an array of class {header.kind}, which no recording needs")
        elif header.is_complex or header.is_logical:
            what = "complex numbers" if header.is_complex else "truth values (a logical array)"
            raise _Broken(f"{_named(path)} has {what}, which no recording needs")
        else:
            value, length = self.text(source) if header.kind == CHAR else self.array(source, header.kind, header.shape)
            used += length
            yield path, value
        if used != size:
            raise _Broken("sizes that contradict each other")

    def header(self, source: _Bytes) -> _Header:
        """Class, shape and name of a matrix element."""
        flags, n_flags = self.numbers(source)
        dims, n_dims = self.numbers(source)
        kind, shape = int(flags[0]) & 0xFF, tuple(int(n) for n in dims)
        is_complex, is_logical = (bool(int(flags[0]) & flag) for flag in (0x800, 0x200))
        if min(shape, default=0) < 0 or not 2 <= len(shape) <= MAX_DIMS:
            raise _Broken(f"an array of shape {shape[:MAX_DIMS]}")
        _, name, n_name = self.data(source)
        return _Header(kind, is_complex, is_logical, shape, name.decode("latin1"), n_flags + n_dims + n_name)

    def fields(self, source: _Bytes) -> tuple[list[str], int]:
        """Names of a struct's fields, and their length in the stream."""
        width, n_width = self.numbers(source)
        _, raw, n_raw = self.data(source)
        step = max(int(width[0]), 1)
        if len(raw) > MAX_NAMES * step or step > MAX_NAME:
            raise _Broken(f"a struct of {len(raw) // step} fields")
        names = [raw[i : i + step].split(b"\0")[0].decode("latin1") for i in range(0, len(raw), step)]
        return names, n_width + n_raw

    def array(self, source: _Bytes, kind: int, shape: tuple[int, ...]) -> tuple[np.ndarray, int]:
        """A numeric leaf in the type of its class; MATLAB may store it in a smaller one."""
        if math.prod(shape) * np.dtype(CLASSES[kind]).itemsize > MAX_LEAF_BYTES:  # stored small, declared large
            raise _Broken(f"an array of shape {shape}")
        flat, length = self.numbers(source)
        if flat.size != math.prod(shape):
            raise _Broken(f"{flat.size} numbers for shape {shape}")
        return flat.astype(CLASSES[kind], copy=False).reshape(shape, order="F"), length

    def text(self, source: _Bytes) -> tuple[str, int]:
        """A character leaf of one row."""
        kind, raw, length = self.data(source)
        codec = {UTF8: "utf-8", UTF16: "utf-16-le" if self.order == "<" else "utf-16-be", 4: "utf-16-le"}.get(kind, "latin1")
        return raw.decode(codec, "replace"), length


def _named(path: LeafPath) -> str:
    return ".".join(map(str, path))


def _children(path: LeafPath, header: _Header, names: list[str]) -> Iterator[LeafPath]:
    """Paths of a cell array's items, or of the fields of a struct array's items."""
    n_items = math.prod(header.shape)
    if n_items > MAX_ITEMS:
        raise _Broken(f"a container of {n_items} items")
    for i in range(n_items):
        if header.kind == CELL:
            yield (*path, i)
        else:
            item = path if n_items == 1 else (*path, i)
            yield from ((*item, name) for name in names)


def walk(path: str | Path, want: Callable[[LeafPath], bool] = lambda path: True) -> Iterator[tuple[LeafPath, np.ndarray | str]]:
    """Every leaf of a MATLAB v5 file with its path in the tree, in file order.

    Yields ``(("DREAMER", "Data", 0, "EEG", "stimuli", 3), array)``: struct fields by name, cells and elements of struct
    arrays by position (column-major), structs of one element without a position. Arrays have MATLAB's shape and class.

    Parameters
    ----------
    want : leaves for which it is false are passed over without being kept.

    Raises
    ------
    HimoeError
        If the file is no MATLAB v5 file, is truncated or damaged (checksum of every compressed element), holds two variables
        of one name, or sparse, complex, logical or program content among the leaves that are wanted.
    """
    refuse_no_file(path := Path(path))
    try:
        with open(path, "rb") as stream:
            head = stream.read(128)
            if len(head) < 128 or head[126:128] not in (b"IM", b"MI"):
                hint = "; save it again with -v7" if head[:16] == b"MATLAB 7.3 MAT-f" else ""
                raise _Broken(f"it is no MATLAB v5 file{hint}")
            walker = _Walker("<" if head[126:128] == b"IM" else ">", want)
            if struct.unpack(walker.order + "H", head[124:126])[0] != 0x0100:
                raise _Broken("it is no MATLAB v5 file; save it again with -v7")
            yield from _elements(walker, stream, path.stat().st_size)
    except OSError as error:
        raise HimoeError(f"{path}: cannot be read ({error.strerror})") from error
    except (_Broken, zlib.error, struct.error, ValueError, IndexError, OverflowError) as error:
        raise HimoeError(f"{path}: refused or truncated ({error}); obtain the file again from its owners") from error


def _elements(walker: _Walker, stream: BinaryIO, end: int) -> Iterator[tuple[LeafPath, np.ndarray | str]]:
    """Leaves of all elements up to the file's end (bytes)."""
    seen: set[str | int] = set()
    while stream.tell() < end:
        source = _Bytes(stream)
        kind, size, _ = walker.tag(source)
        if stream.tell() + size > end:
            raise _Broken("it ends too early")
        if kind == COMPRESSED:
            source = _InflatedBytes(stream, size)
            kind, size, _ = walker.tag(source)
        if kind != MATRIX:
            raise _Broken(f"data of type {kind} where an array belongs")
        here: set[str | int] = set()
        for path, value in walker.matrix(source, size, ()):
            if path[0] in seen:
                raise _Broken(f"two variables called {path[0]}")
            here.add(path[0])
            yield path, value
        seen |= here
        source.close()
