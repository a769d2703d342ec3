"""Files: written whole or not at all. No format here can run code."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from himoe.types import HimoeError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that becomes ``path`` when the block succeeds (fsync, then rename)."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with open(temporary, "rb+") as stream:
                os.fsync(stream.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise HimoeError(f"{path}: cannot be written ({error.strerror or error}); check space and permissions") from error


def write_text(path: str | Path, text: str) -> None:
    """Atomic UTF-8 text with \\n ends."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | Path, value: Any) -> None:
    """Atomic, sorted, readable JSON."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """JSON, or HimoeError naming the file."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HimoeError(f"{path}: not readable as JSON ({error})") from error


def write_table(path: str | Path, frame: pd.DataFrame) -> None:
    """Atomic .parquet or .csv by suffix; floats in CSV as %.8g so that equal results are equal bytes."""
    with atomic(path) as temporary:
        if Path(path).suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            frame.to_csv(temporary, index=False, float_format="%.8g", lineterminator="\n")


def digest(*arrays: np.ndarray) -> str:
    """SHA-256 over the bytes of arrays: the identity of a trial's content, whatever it is called."""
    import numpy as np

    state = hashlib.sha256()
    for array in arrays:
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()
