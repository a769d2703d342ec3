"""How a fit reports: a live bar where someone watches, one JSON line per epoch in the log, TensorBoard if asked for."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

from himoe.types import HimoeError

log = logging.getLogger("himoe")


class Progress:
    """Reports the epochs of the folds of one job."""

    def __init__(self, label: str, n_folds: int, n_epochs: int, tensorboard: Path | None = None):
        self.label, self.n_folds, self.n_epochs = label, n_folds, n_epochs
        self.started, self.n_done = time.perf_counter(), 0
        self.epochs: dict[int, int] = {}
        self.bar = _live_bar() if sys.stderr.isatty() else None
        if self.bar:
            self.bar.start()
            self.task = self.bar.add_task(label, total=n_folds * n_epochs, text="")
        self.writer = _writer(tensorboard) if tensorboard else None

    def epoch(self, fold: int, epoch: int, **values: float) -> None:
        """One epoch of one fold, with what was measured."""
        self.epochs[fold] = epoch
        numbers = {name: round(value, 5) for name, value in values.items()}
        seconds = round(time.perf_counter() - self.started, 2)
        log.info("%s", json.dumps({"fit": self.label, "fold": fold, "epoch": epoch, **numbers, "seconds": seconds}))
        if self.bar:
            text = f"{self.n_done}/{self.n_folds} folds · epoch {epoch} · CCC {values.get('valid_ccc', float('nan')):+.3f}"
            self.bar.update(self.task, completed=sum(self.epochs.values()), text=text)
        if self.writer:
            for name, value in values.items():
                self.writer.add_scalar(f"fold-{fold}/{name}", value, epoch)

    def fold(self, number: int) -> None:
        """A fold is finished: the epochs it did not need count as done."""
        self.n_done += 1
        self.epochs[number] = self.n_epochs
        if self.bar:
            self.bar.update(self.task, completed=sum(self.epochs.values()), text=f"{self.n_done}/{self.n_folds} folds")

    def stop(self) -> None:
        """Give the terminal back, whatever happened."""
        if self.bar:
            self.bar.stop()
        if self.writer:
            self.writer.close()

    def close(self, text: str) -> None:
        """A last word."""
        self.stop()
        log.info("%s · %s", self.label, text)
        sys.stderr.write(f"{self.label} · {text}\n")


def _live_bar() -> Any:
    """A rich bar, if no other job draws one on this terminal: two would overwrite each other."""
    try:
        terminal = os.open(os.ttyname(sys.stderr.fileno()), os.O_WRONLY | os.O_NOCTTY)
        fcntl.flock(terminal, fcntl.LOCK_EX | fcntl.LOCK_NB)  # held until this process ends
    except OSError:
        return None
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"), TimeRemainingColumn())
    return Bar(*columns, console=Console(stderr=True), transient=True, refresh_per_second=4, redirect_stdout=False)


def _writer(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise HimoeError(f"execution.tensorboard: {error}; install tensorboard or set it to false") from error
    return SummaryWriter(str(folder))
