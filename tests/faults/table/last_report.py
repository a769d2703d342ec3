"""What must not cost the last good report: a clock that is set back, and a new report that cannot be made."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from tests.faults.table.record import fault
from tests.faults.table.running import finished, hashes, undisturbed


@fault("interrupted", "the clock set back in mid-run", "it goes on; equal bits, and the report is there", 900.0)
def _(folder: Path) -> str:
    shutil.copytree(undisturbed(), folder / "run", symlinks=True)
    known, report = hashes(folder / "run"), folder / "run/results/report.html"
    later = time.time() + 50  # a file server's clock may be as far ahead, so the start is not refused
    for path in (folder / "run/results").rglob("*"):
        os.utime(path, (later, later))
    (folder / "run/results/tables/main.json").unlink()
    finished(folder / "run")
    assert report.stat().st_mtime < later, "no new report was made"
    assert hashes(folder / "run") == known
    return f"a table and the report made anew; {len(known)} files of equal bits"


@fault("interrupted", "a report that cannot be made", "the last good one stays", 900.0)
def _(folder: Path) -> str:
    shutil.copytree(undisturbed(), folder / "run", symlinks=True)
    report = folder / "run/results/report.html"
    good = report.read_bytes()
    with (folder / "run/results/tables/main.json").open("a") as record:  # sealed: the page does not take it
        record.write(" ")
    assert "changed since it was written" in finished(folder / "run", code=1)
    assert report.read_bytes() == good
    return "the run fails; the report as it was"
