"""The standing table of faults: ``python -m tests.faults``. A fault is one entry in a file of this folder."""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.faults.table.record import FAULTS, Fault


def collect(examples: int = 100) -> list[Fault]:
    """Every entry of every file of this folder, by family; then each reader with so many damaged files."""
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        importlib.import_module(f"{__name__}.{path.stem}")
    from tests.faults.table.at_random import readers

    families = {name: number for number, name in enumerate(dict.fromkeys(f.family for f in FAULTS))}
    return [*sorted(FAULTS, key=lambda f: families[f.family]), *readers(examples)]
