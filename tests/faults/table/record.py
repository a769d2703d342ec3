"""What a fault of the table is, and how one is tried."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from himoe.types import HimoeError
from tests.faults.fuzz.worker import MOST_MB, forget_peak, identity, memory

Try = Callable[[Path], str]
SECONDS = 5.0
REFUSED = "one line"
REFUSED_OR_RIGHT = "one line, or read as the plain one"


@dataclass(frozen=True)
class Fault:
    """``attempt`` makes the fault in a folder of its own, says what was seen, and raises where that is not what must be seen.
    ``seconds``: how long it may take; longer than ``SECONDS`` where a whole workflow runs."""

    family: str
    name: str
    expected: str
    attempt: Try
    seconds: float = SECONDS


class Seen(NamedTuple):
    """A row of the table; ``handled`` is None where the fault could not be made."""

    fault: Fault
    handled: bool | None
    seen: str


class NotTried(Exception):
    """A fault that cannot be made on this machine; says what it needs."""


FAULTS: list[Fault] = []


def fault(family: str, name: str, expected: str = REFUSED, seconds: float = SECONDS) -> Callable[[Try], Try]:
    """Adds a function to the table."""

    def add(attempt: Try) -> Try:
        FAULTS.append(Fault(family, name, expected, attempt, seconds))
        return attempt

    return add


class TooLong(BaseException):
    """Not an error that a reader could take for one of the file's."""


class TooLarge(BaseException):
    """As above."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """TooLong after so many seconds of this process, or, as it may wait for something that never comes, ten times as many on
    the clock: the machine may be busy with others; TooLarge where it took more than ``MOST_MB``."""

    def give_up(*_: object) -> None:
        raise TooLong(f"more than {10 * seconds:g} s")

    before, began, known = signal.signal(signal.SIGALRM, give_up), time.process_time(), forget_peak()
    signal.setitimer(signal.ITIMER_REAL, 10 * seconds)
    try:
        yield
        if (took := time.process_time() - began) > seconds:
            raise TooLong(f"{took:.1f} s where {seconds:g} are allowed")
        if (took := (memory("VmHWM") - known) / 1024) > MOST_MB:
            raise TooLarge(f"{took:.0f} MB where {MOST_MB} are allowed")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def tried(one: Fault, folder: Path) -> Seen:
    """What happens."""
    folder.mkdir(parents=True)
    here, handled = os.getcwd(), False
    try:
        os.chdir(folder)
        with limited(one.seconds):
            seen, handled = one.attempt(folder), True
    except NotTried as error:
        return Seen(one, None, f"not tried: {error}")
    except BaseException as error:
        last, handled = traceback.extract_tb(error.__traceback__)[-1], False
        seen = f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
    finally:
        os.chdir(here)
    words = " ".join(seen.replace(str(folder), "").split())
    return Seen(one, handled, words if len(words) < 160 else words[:160].rpartition(" ")[0] + " ...")


def refused(call: Callable[[], Any], part: str = "") -> str:
    """The one line with which something is refused, which holds ``part``."""
    try:
        value = call()
    except HimoeError as error:
        if part not in str(error) or "\n" in str(error):
            raise AssertionError(f"{str(error)!r} is not one line with {part!r}") from error
        return str(error)
    raise AssertionError(f"taken: {str(value)[:200]}")


def refused_or_equal(call: Callable[[], Any], plain: str) -> str:
    """The one line, or that what was read is what ``plain`` is the identity of."""
    try:
        value = call()
    except HimoeError as error:
        if "\n" in str(error):
            raise AssertionError(f"{str(error)!r} is not one line") from error
        return str(error)
    assert identity(value) == plain, "read as something else than the plain one"
    return "read as the plain one"
