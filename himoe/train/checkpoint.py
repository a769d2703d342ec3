"""Resuming a fit: its whole state in one file beside the outputs, written whole, keyed by what is fitted, checked on load.

The file is no output of the workflow (Snakemake deletes those of a job that fails); it goes when the fit is done.
"""

from __future__ import annotations

import hashlib
import json
import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from himoe import io
from himoe.train.results import FittedFold
from himoe.train.scaling import Scaler
from himoe.types import HimoeError

log = logging.getLogger("himoe")
REQUEUE = 75  # EX_TEMPFAIL: try again later
PATIENCE_SECONDS = 5.0
PARTS = ("scaler", "state", "calibration")  # of a fold's result: its arrays
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


@dataclass
class ResumeState:
    """All that the rest of a fit depends on: dicts, lists, numbers, texts and tensors.

    Of the folds that are in training side by side, the stack: ``current`` is where their present phase stands, ``searched``
    holds the results of the configurations that are done, ``refitted`` those of the configurations in which folds were
    trained again.
    """

    stack_size: int = 0  # 0: not settled yet
    finished: dict[int, dict[str, Any]] = field(default_factory=dict)  # fold -> its result as tensors, numbers and lists
    current: dict[str, Any] | None = None
    searched: dict[str, Any] | None = None
    refitted: dict[str, Any] | None = None
    seconds: tuple[float, float] = (0.0, 0.0)  # wall and CPU time of earlier attempts

    def forget_stack(self) -> None:
        """The folds that were in training are done, or are to be stacked otherwise."""
        self.current = self.searched = self.refitted = None


class Checkpoint:
    """Keeps ``state`` in ``path``.

    Parameters
    ----------
    key : identity of the fit; a file of another key is not used.
    every : seconds between two writes; a request to stop is a reason to write at once.
    """

    def __init__(self, path: Path, key: str, every: float):
        self.path, self.key, self.every = path, key, every
        self.state = ResumeState()
        self.stop_asked: str = ""
        self._written, self._pause = time.monotonic(), every
        self._started = (time.perf_counter(), time.process_time())

    def spent(self) -> tuple[float, float]:
        """(wall, CPU) seconds of this fit, interrupted attempts included."""
        wall, cpu = self.state.seconds
        return wall + time.perf_counter() - self._started[0], cpu + time.process_time() - self._started[1]

    def load(self) -> bool:
        """Whether there was a state to go on from; one that is damaged or of another fit is reported and left alone."""
        import torch

        try:
            if self.path.exists() and not self.path.is_file():
                raise OSError(0, "a folder, pipe or device")
            with open(self.path, "rb") as stream:  # nothing of it is kept in memory before it has proved to be ours
                head = json.loads(stream.readline(4096))
                if head["key"] != self.key:
                    raise ValueError("it is of another config, code or data")
                begins = stream.tell()
                if head["bytes"] != self.path.stat().st_size - begins:
                    raise ValueError("its length is not what was written")
                if head["sha256"] != hashlib.file_digest(stream, "sha256").hexdigest():
                    raise ValueError("its bytes are not those that were written")
                stream.seek(begins)
                content = stream.read()
            import io as memory

            self.state = ResumeState(**torch.load(memory.BytesIO(content), weights_only=True))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise HimoeError(
                f"{self.path}: cannot be read ({error.strerror}); delete it to start from the beginning"
            ) from error
        except Exception as error:  # whatever is wrong with its bytes, the fit can start from the beginning
            log.warning("%s: not used (%s); the fit starts from the beginning", self.path, error)
            self.state = ResumeState()
            return False
        return True

    def finished_folds(self) -> list[FittedFold]:
        """Folds that were done before the fit was interrupted."""
        folds = []
        for number, packed in self.state.finished.items():
            log.info("fold %d: finished before the fit was interrupted", number)
            arrays = {part: {name: t.numpy() for name, t in packed[part].items()} for part in PARTS}
            folds.append(FittedFold(**(packed | arrays | {"scaler": Scaler(**arrays["scaler"])})))
        return folds

    def add_finished(self, folds: list[FittedFold]) -> None:
        """These folds are done: their results become part of the state, which is saved if that is due."""
        import torch

        for fold in folds:
            parts = vars(fold) | {"scaler": vars(fold.scaler)}
            tensors = {
                part: {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in parts[part].items()} for part in PARTS
            }
            self.state.finished[fold.fold] = vars(fold) | tensors
        self.state.forget_stack()
        self.save_if_due()

    def save_if_due(self, current: Callable[[], dict[str, Any]] | None = None) -> None:
        """Save the state if ``every`` seconds have passed or a stop was asked for; after a stop, end the fit.

        Parameters
        ----------
        current : makes ``state.current``; called only where the state is written.

        Raises
        ------
        SystemExit
            With the code of "try again later", once the state is safe.
        """
        if not self.stop_asked and time.monotonic() - self._written < self._pause:
            return
        if current is not None:
            self.state.current = current()
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
        torch.save(vars(self.state) | {"seconds": self.spent()}, buffer)
        content = buffer.getvalue()
        facts = {"key": self.key, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        head = json.dumps(facts).encode() + b"\n"
        with io.atomic(self.path) as temporary:
            temporary.write_bytes(head + content)
        self._written = time.monotonic()
        self._pause = max(self.every, 20 * (self._written - began)) if self.every else 0  # writing never takes over

    def done(self) -> None:
        """The fit is finished: nothing to go on from."""
        for path in (self.path, *self.path.parent.glob(f".{self.path.name}.*")):  # and what a killed write left
            path.unlink(missing_ok=True)

    @contextmanager
    def handling_signals(self) -> Iterator[None]:
        """Within, a request to stop (SIGTERM, SIGUSR1, Ctrl-C) is acted on at the next :meth:`save_if_due`."""
        first_asked = [0.0]

        def request_stop(number: int, _: Any) -> None:
            if self.stop_asked and time.monotonic() - first_asked[0] > PATIENCE_SECONDS:
                raise SystemExit(REQUEUE)  # asked twice, and the loop does not respond: leave
            first_asked[0] = first_asked[0] or time.monotonic()
            self.stop_asked = signal.Signals(number).name

        before = {number: signal.signal(number, request_stop) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
