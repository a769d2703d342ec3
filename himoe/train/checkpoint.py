"""Resuming a fit: its whole state in one file beside the outputs, written whole, keyed by what is fitted, checked on load.

The file is no output of the workflow (Snakemake deletes those of a job that fails); it goes when the fit is done.
"""

from __future__ import annotations

import hashlib
import json
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from himoe import io
from himoe.types import HimoeError

log = logging.getLogger("himoe")
REQUEUE = 75  # EX_TEMPFAIL: try again later
PATIENCE_SECONDS = 5.0
STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class Checkpoint:
    """Keeps ``state``, a tree of dicts, lists, numbers, texts and tensors, in ``path``.

    Parameters
    ----------
    key : identity of the fit; a file of another key is not used.
    every : seconds between two writes; a request to stop is a reason to write at once.
    """

    def __init__(self, path: Path, key: str, every: float):
        self.path, self.key, self.every = path, key, every
        self.state: dict[str, Any] = {}
        self.stop_asked: str = ""
        self._written, self._pause = time.monotonic(), every
        self._started = (time.perf_counter(), time.process_time())

    def spent(self) -> tuple[float, float]:
        """(wall, CPU) seconds of this fit, interrupted attempts included."""
        before, now = self.state.get("spent", (0.0, 0.0)), (time.perf_counter(), time.process_time())
        return tuple(b + n - s for b, n, s in zip(before, now, self._started, strict=True))

    def load(self) -> bool:
        """Whether there was a state to go on from; one that is damaged or of another fit is told of and left."""
        import torch

        try:
            with open(self.path, "rb") as stream:
                head = json.loads(stream.readline(4096))
                content = stream.read()
            if head["key"] != self.key:
                raise ValueError("it is of another config, code or data")
            if head["sha256"] != hashlib.sha256(content).hexdigest():
                raise ValueError("its bytes are not those that were written")
            import io as memory

            self.state = torch.load(memory.BytesIO(content), weights_only=True)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise HimoeError(
                f"{self.path}: cannot be read ({error.strerror}); delete it to start from the beginning"
            ) from error
        except Exception as error:  # whatever is wrong with its bytes, the fit can start anew
            log.warning("%s: not used (%s); the fit starts from the beginning", self.path, error)
            self.state = {}
            return False
        return True

    def offer(self, make: Any) -> None:
        """Write ``make()`` over the state if it is time to, and leave if that was asked for.

        Raises
        ------
        SystemExit
            With the code of "try again later", once the state is safe.
        """
        if not self.stop_asked and time.monotonic() - self._written < self._pause:
            return
        self.state |= make()
        try:
            self.write()
        except HimoeError as error:
            if self.stop_asked:
                raise
            log.warning("%s; the fit goes on without", error)
            self._written = time.monotonic()
        if self.stop_asked:
            log.warning("%s: state kept in %s; run again to go on from here", self.stop_asked, self.path)
            raise SystemExit(REQUEUE)

    def write(self) -> None:
        """Replace the file by the state as it is now."""
        import io as memory

        import torch

        began, buffer = time.monotonic(), memory.BytesIO()
        torch.save(self.state | {"spent": self.spent()}, buffer)
        content = buffer.getvalue()
        head = json.dumps({"key": self.key, "sha256": hashlib.sha256(content).hexdigest()}).encode() + b"\n"
        with io.atomic(self.path) as temporary:
            temporary.write_bytes(head + content)
        self._written = time.monotonic()
        self._pause = max(self.every, 20 * (self._written - began)) if self.every else 0  # writing never takes over

    def done(self) -> None:
        """The fit is finished: nothing to go on from."""
        for path in (self.path, *self.path.parent.glob(f".{self.path.name}.*")):  # and what a killed write left
            path.unlink(missing_ok=True)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within, a request to stop (SIGTERM, SIGUSR1, Ctrl-C) is heard at the next :meth:`offer`."""

        asked = [0.0]

        def hear(number: int, _: Any) -> None:
            if self.stop_asked and time.monotonic() - asked[0] > PATIENCE_SECONDS:  # asked again: nobody listens, so leave
                raise SystemExit(REQUEUE)
            asked[0] = asked[0] or time.monotonic()
            self.stop_asked = signal.Signals(number).name

        before = {number: signal.signal(number, hear) for number in STOP}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
