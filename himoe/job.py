"""The frame of every rule's script: threads set, a log written, errors in one line."""

from __future__ import annotations

import gc
import logging
import os
import platform
import resource
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from himoe import cards
from himoe.types import HimoeError, printable

SHOWN = 6  # paths of a job, of hundreds, in Snakemake's own log
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
log = logging.getLogger("himoe")
log.addHandler(logging.NullHandler())  # where no log could be opened, nothing is printed twice


class _Lines(logging.Formatter):
    """Text with its time, cut and escaped line by line, for a damaged file may end up in an error; a line of JSON as it is, so
    that ``grep ^{ LOG`` finds them all."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        text = record.getMessage()
        return text if text.startswith("{") else _short(super().format(record))


class ShortLines(logging.Filter):
    """What Snakemake logs of a job, without hundreds of paths on a line: of inputs, and of what made it run, the first few."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True; the record is shortened."""
        files = getattr(record, "input", None)
        if isinstance(files, list) and len(files) > SHOWN + 1:
            record.input = [*files[:SHOWN], f"and {len(files) - SHOWN} more"]
        reason = getattr(record, "reason", None)
        if reason is not None and (words := str(reason).split(", "))[SHOWN + 1 :]:
            record.reason = ", ".join([*words[:SHOWN], f"and {len(words) - SHOWN} more"])
        return True


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Run one rule's work.

    Must be entered before numpy or torch is imported: it limits their threads to the rule's, and takes a GPU of its own for a
    job that asks for one. A :class:`HimoeError` ends the job with one line on stderr, and so does a file that cannot be opened
    where nobody foresaw it; any other error is a defect of this package: its traceback goes to the log too.
    """
    for name in THREAD_VARIABLES:
        os.environ[name] = str(snakemake.threads)
    path, started = Path(snakemake.log[0]), time.perf_counter()
    gc.set_threshold(50_000, 20, 20)  # imports make objects that stay: looking for garbage among them costs 0.25 s of each job
    try:
        _open_log(path)
        log.info("on %s by %s", platform.node(), sys.executable)
        if getattr(getattr(snakemake, "resources", None), "gpu", 0):
            cards.take()
        yield
        _of_now(snakemake)
    except (HimoeError, OSError, MemoryError) as error:
        log.error("%s", _line(error, path), exc_info=not isinstance(error, HimoeError))
        sys.stderr.write(f"himoe: {_line(error, path)}\n")
        raise SystemExit(1) from None
    except Exception:
        log.exception("unexpected error")
        asked = f"himoe: a defect of this package: please report it with {path}"
        sys.stderr.write(f"{_short(traceback.format_exc())}\n{asked}\n")
        raise SystemExit(1) from None
    log.info("done in %.1f s, peak memory %.0f MB", time.perf_counter() - started, peak_mb())
    gc.freeze()  # or the interpreter looks through every object of torch and pandas once more as it ends: 0.4 s of each job


def _of_now(snakemake: Any) -> None:
    """What a job has read and is from the future is of now: the clock was set back since it was made, and Snakemake would take
    the outputs, being older, for those of a job that failed, and delete them. Recordings (below ``params.root``) are let be."""
    root = getattr(getattr(snakemake, "params", None), "root", None)
    for path in map(Path, getattr(snakemake, "input", ())):
        own = root is None or not path.is_relative_to(root)
        if own and path.exists() and path.stat().st_mtime > (now := time.time()):
            log.warning("%s: from the future; it is of now", path)
            with suppress(OSError):
                os.utime(path, (now, now))


def _short(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


def _open_log(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w", encoding="utf-8", errors="backslashreplace")  # whatever the locale
    handler.setFormatter(_Lines("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # on a full disk every line of the log would end in a traceback of its own


def _line(error: Exception, path: Path) -> str:
    """What is said of an error; ``path``: the log, which holds where it came from."""
    if isinstance(error, HimoeError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"out of memory; {path} says where"
    where, what = (error.filename or path, error.strerror or error) if isinstance(error, OSError) else (path, error)
    return f"{printable(f'{where}: {what}')}; check space and permissions ({path})"


def peak_mb() -> float:
    """Peak resident memory of this process, MB.

    ``ru_maxrss`` outlives exec: it would include the process that started this one.
    """
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError, ValueError):  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
