"""People at once: what is simulated of one depends on no other, so that any number of processes gives the same bits."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from himoe.types import HimoeError

Item = TypeVar("Item")
Made = TypeVar("Made")


def in_processes(make: Callable[[Item], Made], items: Iterable[Item], threads: int = 1) -> Iterator[Made]:
    """What ``make`` makes of every item, in their order: in this process, or with ``threads`` in as many others.

    Linear algebra has one thread in each, whatever their number. ``make`` and what it takes and gives travel between processes:
    a function of a module, or :func:`functools.partial` of one. Processes are forked, which only Linux does safely; elsewhere
    there is one.

    Raises
    ------
    HimoeError
        If a process was killed: most likely for its memory.
    """
    from threadpoolctl import threadpool_limits

    items = list(items)
    n_processes = min(threads, len(items)) if sys.platform == "linux" else 1
    if n_processes < 2:
        with threadpool_limits(1):
            yield from map(make, items)
        return
    with ProcessPoolExecutor(n_processes, multiprocessing.get_context("fork"), threadpool_limits, (1,)) as pool:
        try:
            yield from pool.map(make, items)
        except BrokenProcessPool as error:
            raise HimoeError(
                f"one of {n_processes} processes was killed, for its memory most likely: use fewer cores"
            ) from error
