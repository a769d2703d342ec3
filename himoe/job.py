"""What every rule's script runs in: threads pinned, a log kept, errors in one line."""

from __future__ import annotations

import logging
import os
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from himoe.types import HimoeError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
log = logging.getLogger("himoe")


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Run one rule's work.

    Must be entered before numpy or torch is imported: it pins their threads to the rule's. A :class:`HimoeError`
    ends the job with one line on stderr; anything else is a defect of ours, and its traceback goes to the log too.
    """
    for name in THREAD_VARIABLES:
        os.environ[name] = str(snakemake.threads)
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=path, filemode="w", level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    logging.captureWarnings(True)
    started = time.perf_counter()
    try:
        yield
    except HimoeError as error:
        log.error("%s", error)
        sys.stderr.write(f"himoe: {error}\n")
        raise SystemExit(1) from None
    except Exception:
        log.exception("unexpected error")
        raise
    log.info("done in %.1f s, peak memory %.0f MB", time.perf_counter() - started, peak_mb())


def peak_mb() -> float:
    """Peak resident memory of this process, MB.

    ``ru_maxrss`` outlives exec: it would tell of the process that started this one.
    """
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError, ValueError):  # no Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Progress:
    """One live line per fit on a terminal; one plain log line per epoch always."""

    def __init__(self, label: str, n_folds: int, n_epochs: int):
        self.label, self.n_folds, self.n_epochs = label, n_folds, n_epochs
        self.position = 0
        self.started, self.live = time.perf_counter(), sys.stderr.isatty()

    def epoch(self, epoch: int, loss: float, valid_loss: float, valid_ccc: float) -> None:
        """Tell of one epoch; ``position`` is the fold's place in the shard, from 0."""
        share = (self.position + epoch / self.n_epochs) / self.n_folds
        left = (time.perf_counter() - self.started) * (1 / share - 1)
        text = (
            f"{self.label} · fold {self.position + 1}/{self.n_folds} · epoch {epoch}/{self.n_epochs} · loss {loss:.3f} · "
            f"validation loss {valid_loss:.3f} CCC {valid_ccc:+.3f} · at most {left:.0f} s left"
        )
        log.info("%s", text)
        if self.live:
            line = text[: shutil.get_terminal_size().columns - 1]  # a wrapped line could not be overwritten
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()

    def close(self, text: str) -> None:
        """Replace the live line by a last word."""
        log.info("%s · %s", self.label, text)
        sys.stderr.write(f"\r\x1b[K{self.label} · {text}\n" if self.live else f"{self.label} · {text}\n")
