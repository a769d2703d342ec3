"""The standing fault bench: ``python -m tests.faults`` tries every fault of the table, then damages genuine files at random.

It writes what was seen into ``docs/explanation/reliability.md`` and ends with 1 where a fault is not handled. ``--only WORD``:
families or faults whose name holds it, and nothing is written. ``--examples N``: damaged files for each reader.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path

from tests.conftest import ROOT
from tests.faults.table import collect
from tests.faults.table.record import Fault, Seen, tried

PAGE = ROOT / "docs/explanation/reliability.md"
HEAD = """# Reliability: what was tried, and what was seen

Made by `make faults` (`python -m tests.faults`), which ends with an error where a fault is not handled; do not edit. Each fault
is an entry in `tests/faults/table/`: a small function that makes the fault in a folder of its own, says what it saw, and raises
where that is not what is expected. *One line* means: a sentence with the file and the cause, no traceback, within 5 s, nothing
run that came with the data. The random ones are genuine files with up to three changes each (bytes flipped, cut, doubled,
reordered; header fields, members, values, columns, rows), read in a process of 1 GB: one line, or values that make sense.
`python -m tests.faults --examples 2000` tries more of them.
"""


def try_all(faults: Iterable[Fault], folder: Path) -> list[Seen]:
    """Every fault in a folder of its own; a line for each that is not handled."""
    rows = []
    for number, fault in enumerate(faults):
        row = tried(fault, folder / str(number))
        shutil.rmtree(folder / str(number), ignore_errors=True)
        if row.handled is False:
            sys.stderr.write(f"NOT HANDLED  {fault.family}: {fault.name}: {row.seen}\n")
        rows.append(row)
    return rows


def page(rows: list[Seen]) -> str:
    """The table with counts by family, as Markdown."""
    families = list(dict.fromkeys(row.fault.family for row in rows))
    lines = [HEAD, "| family | faults | as expected | not handled | not tried |", "|---|---:|---:|---:|---:|"]
    for family in [*families, ""]:
        found = [row.handled for row in rows if family in ("", row.fault.family)]
        counts = " | ".join(str(sum(handled is wanted for handled in found)) for wanted in (True, False, None))
        lines.append(f"| {family or '**all**'} | {len(found)} | {counts} |")
    for family in families:
        lines += ["", f"## {family}", "", "| fault | expected | seen |", "|---|---|---|"]
        for row in (row for row in rows if row.fault.family == family):
            seen = row.seen if row.handled is not False else f"**NOT HANDLED** {row.seen}"
            lines.append("| " + " | ".join(map(cell, (row.fault.name, row.fault.expected, seen))) + " |")
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """Text as a cell of a table shows it."""
    shown = text if text.isprintable() else repr(text)
    return shown.replace("|", r"\|").replace("<", "&lt;")


def main(arguments: list[str] | None = None) -> int:
    """Try, write, and say how many were not handled."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="families or faults whose name holds this word")
    parser.add_argument("--examples", type=int, default=100, help="damaged files for each reader")
    asked = parser.parse_args(arguments)
    faults = [f for f in collect(asked.examples) if asked.only in f"{f.family}: {f.name}"]
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(action="ignore"), tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)  # one fault is another user
            rows = try_all(faults, Path(folder))
    finally:
        logging.disable(logging.NOTSET)
    bad, tried_not = (sum(row.handled is wanted for row in rows) for wanted in (False, None))
    if not asked.only:
        PAGE.write_text(page(rows), encoding="utf-8")
    print(f"{len(rows)} faults, {len(rows) - bad - tried_not} as expected, {bad} not handled, {tried_not} not tried")
    return 1 if bad or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
