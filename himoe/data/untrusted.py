"""Files of others, never trusted: pickles may hold numbers only, archives may unpack into their folder only."""

from __future__ import annotations

import math
import pickle
import shutil
import stat
import struct
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from himoe.io import atomic
from himoe.types import HimoeError

if TYPE_CHECKING:
    import numpy as np


MAX_PICKLE_BYTES = 1 << 29
MAX_OPCODES = 100_000  # a recording takes fewer than a hundred
MAX_COPIES = 4  # Python 2's text is made bytes, and the bytes an array
ARRAY = object()  # what "ndarray" means in a pickle
MAX_ARCHIVE_BYTES = 1 << 36
MAX_RATIO = 200  # of a file's size unpacked and packed


class _Opcodes:
    """An unpickler's table of what each opcode does; a file that asks more often than ``MAX_OPCODES`` is refused."""

    def __init__(self, table: dict[int, Any]):
        self.table, self.left = table, MAX_OPCODES

    def __getitem__(self, code: int) -> Any:
        self.left -= 1
        if self.left < 0:
            raise pickle.UnpicklingError(f"more than {MAX_OPCODES} steps, which no recording needs")
        return self.table[code]


class _Bounded:
    """A file of ``size`` bytes; asked for more, it makes no room for them."""

    def __init__(self, stream: BinaryIO, size: int):
        self.stream, self.size, self.readline = stream, size, stream.readline

    def read(self, n: int) -> bytes:
        """n bytes."""
        if n > self.size:
            raise pickle.UnpicklingError(f"{n} bytes in a file of {self.size}")
        return self.stream.read(n)


class _NumpyUnpickler(pickle._Unpickler):
    """Unpickles plain numpy arrays and nothing else.

    The pure-Python unpickler on purpose: the C one can be made to allocate gigabytes by a four-byte memo index. ``ndarray``
    itself is a mark that cannot be called: called, it makes arrays of memory that nobody has written. What the file makes of
    its ``size`` bytes, again and again of the same ones, may not take ``MAX_COPIES`` times as many.
    """

    def __init__(self, stream: BinaryIO, size: int):
        super().__init__(_Bounded(stream, size), encoding="latin1")
        table = pickle._Unpickler.dispatch | {pickle.BYTEARRAY8[0]: self._bytes, pickle.BUILD[0]: self._build}
        vars(self)["dispatch"] = _Opcodes(table)
        self.size, self.room = size, MAX_COPIES * size + (1 << 20)

    def _spend(self, n: int) -> None:
        self.room -= n
        if self.room < 0:
            raise pickle.UnpicklingError(f"it unfolds to more than {MAX_COPIES} times its {self.size} bytes")

    def _bytes(self, _: object) -> None:
        read = vars(self)["read"]
        (n,) = struct.unpack("<Q", read(8))
        vars(self)["stack"].append(bytearray(read(n)))

    def _build(self, _: object) -> None:
        import numpy as np

        stack: list[Any] = vars(self)["stack"]
        state, inst = stack.pop(), stack[-1]
        if not isinstance(inst, (np.ndarray, np.dtype)) or not isinstance(state, tuple):
            raise pickle.UnpicklingError(f"a state for a {type(inst).__name__}, which no recording needs")
        self._spend(sum(len(part) for part in state if isinstance(part, (bytes, bytearray, str, list))))
        inst.__setstate__(state)  # type: ignore[union-attr]  # dtypes have it, their stubs have not

    def find_class(self, module: str, name: str) -> Any:
        import numpy as np

        def reconstruct(kind: object, shape: tuple, code: Any) -> np.ndarray:
            if kind is not ARRAY or tuple(shape) != (0,):
                raise pickle.UnpicklingError("array stub of unexpected shape")
            return np.ndarray((0,), np.int8)

        def from_buffer(raw: bytes, dtype: np.dtype, shape: tuple, order: str) -> np.ndarray:
            return np.frombuffer(raw, dtype).reshape(shape, order="F" if order == "F" else "C")

        def encode(text: str, encoding: str) -> bytes:
            if encoding not in ("latin1", "latin-1"):
                raise pickle.UnpicklingError(f"encoding {encoding!r}")
            self._spend(len(text))
            return text.encode("latin1")

        allowed: dict[tuple[str, str], Any] = {
            ("numpy.core.multiarray", "_reconstruct"): reconstruct,
            ("numpy._core.multiarray", "_reconstruct"): reconstruct,
            ("numpy.core.numeric", "_frombuffer"): from_buffer,  # protocol 5
            ("numpy._core.numeric", "_frombuffer"): from_buffer,
            ("numpy", "ndarray"): ARRAY,
            ("numpy", "dtype"): np.dtype,
            ("_codecs", "encode"): encode,
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no recording needs")
        return allowed[module, name]


def refuse_no_file(path: Path) -> None:
    """HimoeError if what stands at a path is no file: a pipe would be waited for, a device never ends."""
    if path.exists() and not path.is_file():
        raise HimoeError(f"{path}: a folder, pipe or device under a recording's name; move it out of the folder")


def read_numpy_pickle(path: str | Path, max_bytes: int = MAX_PICKLE_BYTES) -> dict[str, np.ndarray]:
    """Read a pickled dict of numpy arrays (Python 2 or 3) without running anything in it.

    Raises
    ------
    HimoeError
        If the file is too large, truncated, holds anything but a dict of numeric arrays, or asks for any class outside
        numpy's own array stubs.
    """
    import numpy as np

    refuse_no_file(path := Path(path))
    try:
        if (size := path.stat().st_size) > max_bytes:
            raise HimoeError(f"{path}: {size} bytes, more than the {max_bytes} a recording may have; not opened")
        with open(path, "rb") as stream:
            value = _NumpyUnpickler(stream, size).load()
    except OSError as error:
        raise HimoeError(f"{path}: cannot be read ({error.strerror})") from error
    except HimoeError:
        raise
    except Exception as error:  # an unpickler fed hostile bytes may raise anything
        raise HimoeError(
            f"{path}: refused or truncated ({_reason(path, error)}); obtain the file again from its owners"
        ) from error
    arrays = value.values() if isinstance(value, dict) else []
    if not arrays or not all(isinstance(a, np.ndarray) and a.dtype.kind in "fiu" for a in arrays):
        raise HimoeError(f"{path}: not a dict of numeric arrays")
    return value


def _reason(path: Path, error: Exception) -> str:
    """Why a file was refused; a login page that was saved under a recording's name is called one."""
    with open(path, "rb") as stream:
        head = stream.read(256).lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "it is a web page, perhaps a login page"
    return f"unexpected byte {error}" if isinstance(error, KeyError) else str(error) or type(error).__name__


def extract(archive: str | Path, folder: Path, patterns: tuple[str, ...]) -> list[str]:
    """Unpack the members of a zip file that match a glob, and nothing else; folders above the match are left out.

    ``data_preprocessed_python/s01.dat`` matches ``s??.dat`` and becomes ``folder/s01.dat``.

    Raises
    ------
    HimoeError
        If the file is no whole zip, none of its members matches, one differs from a file that is there, or any member is
        absolute, climbs (``..``), is a link, is encrypted or, being wanted, unpacks to more than ``MAX_RATIO`` times its size;
        nothing is written then.
    """
    import zipfile

    refuse_no_file(archive := Path(archive))
    try:
        with zipfile.ZipFile(archive) as zipped:
            chosen: dict[str, zipfile.ZipInfo] = {}
            for member in zipped.infolist():
                _refuse_path(member)
                if not member.is_dir() and "__MACOSX" not in member.filename and (tail := _tail(member.filename, patterns)):
                    _refuse_size(member)
                    if tail in chosen:
                        raise ValueError(f"two members called {tail}")
                    chosen[tail] = member
            if not chosen:
                raise ValueError(f"no {', '.join(patterns)} in it")
            if (total := sum(m.file_size for m in chosen.values())) > MAX_ARCHIVE_BYTES:
                raise ValueError(f"it unpacks to {total} bytes")
            for tail, member in sorted(chosen.items()):
                if (folder / tail).is_file() and _crc(folder / tail) != member.CRC:
                    raise HimoeError(
                        f"{archive}: its {tail} differs from that of an archive beside it; leave the one that counts"
                    )
                with atomic(folder / tail) as temporary, zipped.open(member) as packed, open(temporary, "wb") as out:
                    shutil.copyfileobj(packed, out, 1 << 20)  # zipfile checks length and CRC at the end
    except OSError as error:
        raise HimoeError(f"{archive}: cannot be read ({error.strerror or error})") from error
    except HimoeError:  # what is unpacked could not be written
        raise
    except Exception as error:  # ours (ValueError), and whatever damaged bytes make zipfile and its decompressors raise
        reason = _reason(archive, error)
        raise HimoeError(f"{archive}: refused or truncated ({reason}); obtain the file again from its owners") from error
    return sorted(chosen)


def read_npz(path: str | Path, most: int, names: Collection[str]) -> dict[str, np.ndarray]:
    """Those of these arrays that are in an .npz file that unpacks to ``most`` bytes at most; nothing in it is unpickled.

    Raises
    ------
    OSError, ValueError
        If it cannot be read; whatever is wrong with its bytes.
    """
    import zipfile

    try:
        with zipfile.ZipFile(path) as zipped:
            members = {member.filename.removesuffix(".npy"): member for member in zipped.infolist()}
            if (total := sum(member.file_size for member in zipped.infolist())) > most:
                raise ValueError(f"it unpacks to {total} bytes, more than {most}")
            if len(members) < len(zipped.infolist()):
                raise ValueError("two arrays of one name")
            return {name: _read_npy(zipped, members[name]) for name in names if name in members}
    except (zipfile.BadZipFile, NotImplementedError, struct.error, EOFError) as error:  # of its table of contents
        raise ValueError(str(error) or type(error).__name__) from error


def _read_npy(zipped: Any, member: Any) -> np.ndarray:
    """One array. Its header is compared with the bytes that follow: numpy would make room for whatever it states."""
    from numpy.lib import format as npy

    try:
        with zipped.open(member) as stream:
            read_header = npy.read_array_header_1_0 if npy.read_magic(stream) == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read_header(stream)
            if not dtype.hasobject and math.prod(shape) * dtype.itemsize != (n := member.file_size - stream.tell()):
                raise ValueError(f"said to be {dtype} of shape {shape}, and {n} bytes follow")
        with zipped.open(member) as stream:
            return npy.read_array(stream, allow_pickle=False)
    except Exception as error:  # damaged bytes make numpy, zipfile and its decompressors raise errors of many kinds
        raise ValueError(f"{member.filename}: {str(error) or type(error).__name__}") from error


def _crc(path: Path) -> int:
    """CRC-32 of a file, as zip files hold of their members."""
    import zlib

    value = 0
    with open(path, "rb") as stream:
        while part := stream.read(1 << 20):
            value = zlib.crc32(part, value)
    return value


def _refuse_path(member: Any) -> None:
    """ValueError if an archive's member is anything but a file or folder within it."""
    name, mode = member.filename, member.external_attr >> 16
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        raise ValueError(f"member {name!r} points outside")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ValueError(f"member {name!r} is a link or device")


def _refuse_size(member: Any) -> None:
    """ValueError if a member that is wanted cannot be unpacked or is out of proportion."""
    name = member.filename
    if len(name) > 255:
        raise ValueError(f"member {name[:40]!r}... has a name of {len(name)} characters")
    if member.flag_bits & 1:
        raise ValueError(f"member {name!r} is encrypted")
    if member.file_size > 1 << 20 and member.file_size > MAX_RATIO * max(member.compress_size, 1):
        raise ValueError(f"member {name!r} unpacks to {member.file_size} bytes from {member.compress_size}")


def _tail(name: str, patterns: tuple[str, ...]) -> str:
    """The end of a member's path that matches a pattern part by part, or an empty string."""
    parts = name.split("/")
    for pattern in patterns:
        wanted = pattern.split("/")
        tail = parts[-len(wanted) :]
        if len(tail) == len(wanted) and all(fnmatchcase(t, w) for t, w in zip(tail, wanted, strict=True)):
            return "/".join(tail)
    return ""
