"""Where a run stands, who else works there, and what clock its files have."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.faults.table.record import FAULTS, Fault, fault
from tests.faults.table.running import checkout, finished, hashes, snakemake, undisturbed, wait_until

ASCII_ALONE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
PLACES: dict[str, tuple[str, dict[str, str], str]] = {
    "braces in the path": ("a{b}c", {}, "Snakemake takes braces in a path for wildcards"),
    "a line break in the path": ("a\nb", {}, "control characters; move it"),
    "letters in the path in a locale of ASCII": ("größe", ASCII_ALONE, "set LC_ALL=C.UTF-8"),
}


def placed(name: str, variables: dict[str, str], part: str, folder: Path) -> str:
    """A run that is only planned, from a folder of this name."""
    printed = finished(checkout(folder / name), "-n", code=1, **variables)
    assert "Traceback" not in printed
    (line,) = {line for line in printed.splitlines() if part in line}
    return line.replace(os.fsencode(str(folder)).decode("ascii", "backslashreplace"), "")


FAULTS.extend(Fault("places", name, "one line before any job", partial(placed, *of), 60.0) for name, of in PLACES.items())


def any_in(folder: Path) -> bool:
    """Whether a folder holds anything."""
    return any(folder.glob("*"))


def refused_beside(run: Path, begun: Callable[[], bool], other: Path, known: object, part: str) -> str:
    """The line that refuses a second run, from ``other``, once the first has begun; that one ends with the known bits."""
    first = snakemake(run)
    wait_until(begun, first)
    second = finished(other, code=1)
    assert first.wait(600) == 0
    assert hashes(run) == known
    assert "Traceback" not in second
    return next(line for line in second.splitlines() if part in line)


@fault("places", "two runs in one folder", "the second is refused; the first has equal bits", 900.0)
def _(folder: Path) -> str:
    known, run = hashes(undisturbed()), checkout(folder / "run")
    return refused_beside(run, partial(any_in, run / ".snakemake/locks"), run, known, "cannot be locked")


@fault("places", "two folders that share their results", "the second is refused; the first has equal bits", 900.0)
def _(folder: Path) -> str:
    known, run, other = hashes(undisturbed()), checkout(folder / "run"), checkout(folder / "other")
    (folder / "results").mkdir()
    for place in (run, other):
        (place / "results").symlink_to(folder / "results")
    begun = partial(any_in, folder / "results/planted-a")
    return refused_beside(run, begun, other, known, "another run writes into it")


@fault("places", "results of tomorrow", "refused with the remedy, which leaves nothing to be made again", 300.0)
def _(folder: Path) -> str:
    run = folder / "run"
    shutil.copytree(undisturbed(), run, symlinks=True)
    finished(run)  # the copy's own report
    tomorrow = time.time() + 86400
    for path in run.joinpath("results").rglob("*"):
        os.utime(path, (tomorrow, tomorrow), follow_symlinks=False)
    seen = next(line for line in finished(run, code=1).splitlines() if "from the future" in line)
    assert "find results/ -newermt now -exec touch -d now {} +" in seen
    os.system(f"cd {run} && find results/ -newermt now -exec touch -d now {{}} +")
    assert "Nothing to be done" in finished(run)
    return re.sub(r"\(.*?\)", "(...)", seen, count=1)
