"""Genuine files damaged at random: one entry for each reader."""

from __future__ import annotations

import atexit
from functools import partial
from pathlib import Path

import numpy as np

from tests.faults.fuzz.asking import Bench, Worker
from tests.faults.fuzz.readers import READERS
from tests.faults.table.record import Fault

WORKER = Worker()
atexit.register(WORKER.close)


def damaged(name: str, n_examples: int, folder: Path) -> str:
    """So many damaged files; the same each time."""
    bench = Bench(name, folder, WORKER)
    for number in range(n_examples):
        rng = np.random.default_rng([7, number])
        drawn = [
            (int(rng.integers(len(bench.reader.mutations))), int(rng.integers(2**32))) for _ in range(int(rng.integers(1, 4)))
        ]
        changes = [(bench.reader.mutations[which], seed) for which, seed in drawn]
        if wrong := bench.judge(changes):
            raise AssertionError(f"{[(change.__name__, seed) for change, seed in changes]}: {wrong.splitlines()[-1]}")
    return f"{n_examples} files"


def readers(n_examples: int) -> list[Fault]:
    """An entry for each."""
    said = "one line, or values that make sense, in 5 s and 1 GB each"
    return [Fault("at random", name, said, partial(damaged, name, n_examples), 10.0 + n_examples) for name in READERS]
