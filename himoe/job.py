"""The frame of every rule's script: threads set, a log written, errors in one line."""

from __future__ import annotations

import gc
import logging
import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from himoe.types import HimoeError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
log = logging.getLogger("himoe")


class _Lines(logging.Formatter):
    """Text with its time; a line of JSON as it is, so that ``grep ^{ LOG`` finds them all."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        text = record.getMessage()
        return text if text.startswith("{") else super().format(record)


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Run one rule's work.

    Must be entered before numpy or torch is imported: it limits their threads to the rule's. A :class:`HimoeError`
    ends the job with one line on stderr; any other error is a defect of this package: its traceback goes to the log too.
    """
    for name in THREAD_VARIABLES:
        os.environ[name] = str(snakemake.threads)
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w")
    handler.setFormatter(_Lines("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.captureWarnings(True)
    started = time.perf_counter()
    gc.set_threshold(50_000, 20, 20)  # imports make objects that stay: looking for garbage among them costs 0.25 s of each job
    log.info("on %s by %s", platform.node(), sys.executable)
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
    gc.freeze()  # or the interpreter looks through every object of torch and pandas once more as it ends: 0.4 s of each job


def peak_mb() -> float:
    """Peak resident memory of this process, MB.

    ``ru_maxrss`` outlives exec: it would include the process that started this one.
    """
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError, ValueError):  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
