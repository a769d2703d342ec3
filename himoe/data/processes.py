"""People at once: what is simulated of one depends on no other, so that any number of processes gives the same bits."""

from __future__ import annotations

import ctypes
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from himoe.types import HimoeError

Item = TypeVar("Item")
Made = TypeVar("Made")
PR_SET_PDEATHSIG = 1  # of Linux: a signal to a process whose parent ends


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
    items = list(items)
    n_processes = min(threads, len(items)) if sys.platform == "linux" else 1
    if n_processes < 2:
        with _one_thread():
            yield from map(make, items)
        return
    with ProcessPoolExecutor(n_processes, multiprocessing.get_context("fork"), _begin) as pool:
        try:
            yield from pool.map(make, items)
        except BrokenProcessPool as error:
            raise HimoeError(
                f"one of {n_processes} processes was killed, for its memory most likely: use fewer cores"
            ) from error


def _one_thread() -> Any:
    """Linear algebra has one thread, from now on or within this context."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def _begin() -> None:
    """A process that ends with the one it works for, however that is ended: none is left behind by a job that was killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _one_thread()
