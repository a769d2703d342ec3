"""Twins: data sets that are simulated in the format of a real one, source files and all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from himoe import registry
from himoe.types import Size


def synthesize(dataset: str, root: Path, size: Size, edition: str, snr: float, seed: int) -> dict[str, Any]:
    """Write a twin's source files into ``root``, which is emptied first; returns the settings, to be kept as its proof."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    registry.load("datasets", dataset).synthesize(root, size, edition, snr, seed)
    return {"dataset": dataset, "edition": edition, "snr": snr, "seed": seed, "subjects": size.subjects}
