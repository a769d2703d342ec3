"""How long a prediction takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

N_TIMED = 5  # predictions


def milliseconds(predict: Callable[[], object]) -> float:
    """Of one prediction: the median of :data:`N_TIMED`, after one that is not timed."""
    predict()
    taken = []
    for _ in range(N_TIMED):
        started = time.perf_counter()
        predict()
        taken.append(time.perf_counter() - started)
    return round(1e3 * median(taken), 4)
