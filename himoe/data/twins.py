"""Twins: data sets that are simulated in the format of a real one, source files and all."""

from __future__ import annotations

import inspect
import shutil
from pathlib import Path
from typing import Any

from himoe import registry
from himoe.types import Size


def synthesize(
    dataset: str, root: Path, size: Size, edition: str, snr: float, seed: int, threads: int = 1, **traits: float
) -> dict[str, Any]:  # fmt: skip
    """Write a twin's source files into ``root``, which is emptied first; returns the settings, to be kept as its proof.

    ``traits`` are what a plug-in may simulate beside its signals (``rating_bias``, ``electrode_drift``): one that has such a
    parameter is given it, and so it is with ``threads``, the cores it may use, which change no bit of a twin.
    """
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    write = registry.load("datasets", dataset).synthesize
    known = inspect.signature(write).parameters
    traits = {name: value for name, value in traits.items() if name in known}
    cores = {"threads": threads} if "threads" in known else {}
    write(root, size, edition, snr, seed, **traits, **cores)
    return {"dataset": dataset, "edition": edition, "snr": snr, "seed": seed, "subjects": size.subjects} | traits
