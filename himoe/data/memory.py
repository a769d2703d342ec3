"""Whether what is about to be read fits into memory: a job that cannot end is refused before it allocates."""

from __future__ import annotations

from pathlib import Path

from himoe.types import HimoeError, Tokens

PROC, GROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def bytes_of(tokens: Tokens) -> int:
    """Bytes of the arrays of these tokens: what one copy takes, on a GPU too."""
    columns = (getattr(tokens, name) for name in ("x", "mask", "time", "y", "offsets", "baseline"))
    return sum(column.nbytes for column in columns if column is not None)


def free_bytes() -> int | None:
    """Memory that this process may still take, of the machine or of the groups of processes that bound it (a container, a job
    of SLURM; control groups, version 2); None where the system does not say."""
    try:
        stated = dict(line.split(":", 1) for line in (PROC / "meminfo").read_text().splitlines())
        free = 1024 * int(stated["MemAvailable"].split()[0])
        own = (PROC / "self/cgroup").read_text().strip().rpartition("::")[2].lstrip("/")
    except (OSError, ValueError, KeyError, IndexError):
        return None
    folder = GROUPS / own
    groups = [folder, *folder.parents][: len(Path(own).parts) + 1]
    return min([free, *(left for group in groups if (left := _left(group)) is not None)])


def _left(group: Path) -> int | None:
    """Bytes that a group of processes may still take, the cache of files being given up first; None where it has no bound."""
    try:
        most, used = (int((group / f"memory.{name}").read_text()) for name in ("max", "current"))
        stated = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return max(0, most - used + int(stated["file"]))
    except (OSError, ValueError, KeyError):  # "max": no bound
        return None


def refuse_beyond(needed: int, free: int | None, what: str, where: str, do: str) -> None:
    """HimoeError with the bytes that ``what`` needs if more than are ``free``; ``free``: None where that is not known."""
    if free is not None and needed > free:
        raise HimoeError(f"{what} need {needed:,} bytes of {where}, and {free:,} are free; {do}")
