"""Cleaned recordings of one subject in one file: safetensors, memory-mapped, so that raw windows are views.

Features are made from it (:mod:`himoe.data.prepare`), and models that read samples read it through
:func:`himoe.signal.clock.raw_windows`. The header holds a digest of the content.
"""

from __future__ import annotations

import json
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from himoe import io
from himoe.types import HimoeError, Signal, Trial

DTYPES = {"F32": "<f4", "F64": "<f8"}
MAX_HEADER_BYTES = 1 << 24


def write_trials(path: str | Path, trials: list[Trial]) -> None:
    """Write one subject's trials: signals as float32, labels as float64."""
    arrays: dict[str, np.ndarray] = {}
    about = []
    for i, trial in enumerate(trials):
        clocks: dict[str, Any] = {}
        for part, signals in (("signals", trial.signals), ("baseline", trial.baseline)):
            clocks[part] = {name: [s.sfreq, s.start] for name, s in signals.items()}
            arrays |= {f"{i}/{part}/{name}": np.ascontiguousarray(s.data, np.float32) for name, s in signals.items()}
        arrays[f"{i}/targets"] = np.ascontiguousarray(trial.targets, np.float64)
        if trial.target_times is not None:
            arrays[f"{i}/target_times"] = np.ascontiguousarray(trial.target_times, np.float64)
        names = (trial.subject, trial.session, trial.trial, trial.stimulus)
        about.append(clocks | {"names": names, "seconds": trial.seconds})
    io.write_arrays(path, arrays, json.dumps({"digest": _digest(arrays, about), "trials": about}))


def read_trials(path: str | Path, verify: bool = True) -> list[Trial]:
    """Read what :func:`write_trials` wrote; the arrays are read-only maps of the file.

    Raises
    ------
    HimoeError
        If the file is not whole, or (``verify``) its content is not what was written.
    """
    arrays, metadata = _map(Path(path))
    try:
        about = metadata["trials"]
        if verify and metadata["digest"] != _digest(arrays, about):
            raise HimoeError(f"{path}: content differs from what was written; delete it and run again")
        trials = []
        for i, header in enumerate(about):
            signals, baseline = (
                {name: Signal(arrays[f"{i}/{part}/{name}"], *clock) for name, clock in header[part].items()}
                for part in ("signals", "baseline")
            )
            subject, session, trial, stimulus = header["names"]
            targets, times = arrays[f"{i}/targets"], arrays.get(f"{i}/target_times")
            trials.append(Trial(subject, session, trial, stimulus, header["seconds"], signals, targets, times, baseline))
    except (KeyError, TypeError, ValueError) as error:
        raise HimoeError(f"{path}: not a recordings file ({error!r}); delete it and run again") from error
    return trials


def _digest(arrays: dict[str, np.ndarray], about: list[dict[str, Any]]) -> str:
    """Of names, clocks and all arrays, labels among them."""
    names = json.dumps([about, *((name, arrays[name].shape) for name in sorted(arrays))])
    return io.digest(np.frombuffer(names.encode(), np.uint8), *(arrays[name] for name in sorted(arrays)))


def _map(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and metadata of a safetensors file, mapped; every extent is checked against the file's length."""
    io.check(path)
    try:
        with open(path, "rb") as stream:
            (n_head,) = struct.unpack("<Q", stream.read(8))
            if n_head > MAX_HEADER_BYTES:
                raise ValueError(f"a header of {n_head} bytes")
            head = json.loads(stream.read(n_head))
        metadata = json.loads(head.pop("__metadata__")["about"])
        whole = np.memmap(path, np.uint8, "r", offset=8 + n_head) if head else np.zeros(0, np.uint8)
        extents = sorted(entry["data_offsets"] for entry in head.values())
        if extents and (extents[0][0] != 0 or extents[-1][1] != len(whole) or any(a[1] != b[0] for a, b in pairwise(extents))):
            raise ValueError("it ends too early or too late")
        arrays = {}
        for name, entry in head.items():
            first, last = entry["data_offsets"]
            arrays[name] = np.asarray(whole[first:last]).view(DTYPES[entry["dtype"]]).reshape(entry["shape"])
    except OSError as error:
        raise HimoeError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, struct.error) as error:
        raise HimoeError(f"{path}: not a recordings file ({error}); delete it and run again") from error
    return arrays, metadata
