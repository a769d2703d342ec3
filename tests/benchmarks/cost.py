"""What the processes that a test starts cost."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

import psutil


@dataclass
class Cost:
    """Wall seconds, CPU seconds of all processes that ended, peak of the resident memory of all together, MB."""

    wall: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure what is started within; the values are there at its end."""
    cost, done = Cost(), Event()
    watcher = Thread(target=_watch_memory, args=(done, cost))
    watcher.start()
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    try:
        yield cost
    finally:
        cost.wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cost.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        done.set()
        watcher.join()


def _watch_memory(done: Event, cost: Cost) -> None:
    me = psutil.Process()
    while not done.wait(0.2):
        total = 0
        for child in me.children(recursive=True):
            try:
                total += child.memory_info().rss
            except psutil.Error:
                continue
        cost.peak = max(cost.peak, total / 2**20)
