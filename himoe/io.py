"""Files: written whole or not at all. No format here can run code.

What later rules trust is *sealed*: ``FILE.sha256`` beside it holds its hash, as ``sha256sum -c`` reads it, and whoever reads
the file here compares the two. A file without one is taken as it is.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from himoe.types import HimoeError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ORPHAN_SECONDS = 3600.0


@contextmanager
def atomic(path: str | Path, sealed: bool = False) -> Iterator[Path]:
    """A temporary path beside ``path`` that becomes ``path`` when the block succeeds (fsync, then rename)."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with open(temporary, "rb+") as stream:
                os.fsync(stream.fileno())
            os.chmod(temporary, 0o666 & ~_umask())
            if sealed:
                write_text(_seal_of(path), f"{_sha256(temporary)}  {path.name}\n")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise HimoeError(f"{path}: cannot be written ({error.strerror or error}); check space and permissions") from error


def _sweep(path: Path) -> None:
    """Remove what writers of this file that were killed have left; one that is at work has touched its own within the hour."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{glob.escape(path.suffix)}"):
        with suppress(FileNotFoundError):
            if left.is_file() and time.time() - left.stat().st_mtime > ORPHAN_SECONDS:
                left.unlink()


def check(path: str | Path) -> None:
    """HimoeError if a file is sealed and not what was written."""
    path = Path(path)
    if not (seal := _seal_of(path)).is_file():
        return
    try:
        known, found = seal.read_text(encoding="utf-8", errors="replace").partition(" ")[0], _sha256(path)
    except OSError as error:
        raise HimoeError(f"{path}: cannot be read ({error.strerror})") from error
    if known != found:
        raise HimoeError(f"{path}: changed since it was written ({seal.name} says so); delete it and run again")


def _seal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _umask() -> int:
    os.umask(mask := os.umask(0o077))  # it can only be read by setting it
    return mask


def write_text(path: str | Path, text: str) -> None:
    """Atomic UTF-8 text with \\n ends."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | Path, value: Any, sealed: bool = False) -> None:
    """Atomic, sorted, readable JSON."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    with atomic(path, sealed) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def read_json(path: str | Path) -> Any:
    """JSON, or HimoeError naming the file."""
    check(path)
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise HimoeError(f"{path}: not readable as JSON ({error})") from error


def write_table(path: str | Path, frame: pd.DataFrame, sealed: bool = False) -> None:
    """Atomic .parquet or .csv by suffix; floats in CSV as %.8g so that equal results are equal bytes."""
    with atomic(path, sealed) as temporary:
        if Path(path).suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            frame.to_csv(temporary, index=False, float_format="%.8g", lineterminator="\n")


def write_arrays(path: str | Path, arrays: dict[str, np.ndarray], about: str = "") -> None:
    """Atomic .safetensors; ``about`` is its only metadata, as the library writes several in an order of chance."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    with atomic(path) as temporary:
        try:
            save_file(arrays, temporary, {"about": about} if about else None)
        except SafetensorError as error:  # what the library makes of a full disk
            raise OSError(str(error)) from error


def read_table(path: str | Path, **options: Any) -> pd.DataFrame:
    """A .parquet or .csv by suffix, or HimoeError naming the file; ``options`` are those of pandas."""
    import pandas as pd

    check(path)
    if not Path(path).is_file():  # of a folder pandas makes an empty table
        raise HimoeError(f"{path}: not readable as a table (it is absent, or a folder); delete it and run again")
    try:
        return pd.read_parquet(path, **options) if Path(path).suffix == ".parquet" else pd.read_csv(path, **options)
    except (OSError, ValueError, KeyError) as error:
        raise HimoeError(f"{path}: not readable as a table ({error}); delete it and run again") from error


def digest(*arrays: np.ndarray) -> str:
    """SHA-256 over the bytes of arrays: the identity of a trial's content, whatever it is called."""
    import numpy as np

    state = hashlib.sha256()
    for array in arrays:
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()
