"""Reads damaged files in a process of its own, whose memory is limited: one line asks, one line answers.

``NAME FOLDER`` -> ``{"outcome": "refused" | "read" | "broken", "text", "value", "seconds", "mb"}``.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import os
import re
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

os.environ |= {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}  # arrow's own pools reserve a gigabyte of addresses before the first byte

import numpy as np
import pandas as pd

from himoe.types import HimoeError

MOST_MB = 1024


def identity(value: Any) -> str:
    """A digest of what was read: equal values, whatever holds them, have one."""
    state = hashlib.sha256()
    _add(state, value)
    return state.hexdigest()


def _add(state: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        state.update(f"{value.dtype.kind}{value.shape}".encode())
        state.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, pd.DataFrame):
        _add(state, value.to_dict("list"))
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            state.update(f"{key}:".encode("utf-8", "surrogateescape"))
            _add(state, value[key])
    elif isinstance(value, (list, tuple)):
        state.update(f"[{len(value)}".encode())
        for item in value:
            _add(state, item)
    elif hasattr(value, "__dict__"):
        _add(state, vars(value))
    else:
        state.update(repr(value).encode("utf-8", "surrogateescape"))


def memory(field: str) -> int:
    """kB by /proc/self/status."""
    return int(re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())[1])  # type: ignore[index]


def forget_peak() -> int:
    """The peak of memory counts from here; what is taken now, kB."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def _chain(error: BaseException | None) -> list[BaseException]:
    return [error, *_chain(error.__cause__ or error.__context__)] if error else []


def answer(name: str, folder: str) -> dict[str, Any]:
    """What a reader makes of the files in a folder."""
    from tests.faults.fuzz.readers import READERS

    reader, before, started = READERS[name], forget_peak(), time.process_time()
    said: dict[str, Any] = {"outcome": "read", "text": "", "value": ""}
    try:
        with contextlib.redirect_stdout(printed := io.StringIO()):
            value = reader.read(Path(folder))
        said["text"], said["value"] = reader.wrong(value), identity(value)
    except HimoeError as error:
        said |= {"outcome": "refused", "text": str(error)}
        if any(isinstance(e, MemoryError) for e in _chain(error)):
            said |= {"outcome": "broken", "text": f"more than {MOST_MB} MB, then: {error}"}
    except BaseException:
        said |= {"outcome": "broken", "text": traceback.format_exc()[-3000:]}
    if printed.getvalue():
        said |= {"outcome": "broken", "text": f"it printed {printed.getvalue()[:300]!r}"}
    said |= {"seconds": time.process_time() - started, "mb": (memory("VmHWM") - before) / 1024}
    return said


def main() -> None:
    """Answer until there are no more questions."""
    import mne  # noqa: F401  (with everything loaded the limit is on what files cost)
    import torch  # noqa: F401

    from tests.faults.fuzz.readers import READERS

    warnings.simplefilter("ignore")
    logging.disable(50)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints, from C too, is no answer
    os.fsync = lambda fd: None  # hundreds of files a second, which no power cut need survive
    most = memory("VmSize") * 1024 + MOST_MB * (1 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    print(json.dumps(sorted(READERS)), file=answers, flush=True)
    for line in sys.stdin:
        name, _, folder = line.rstrip("\n").rpartition("\t")
        print(json.dumps(answer(name, folder)), file=answers, flush=True)


if __name__ == "__main__":
    main()
