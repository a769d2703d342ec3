"""Tables for a terminal, by rich: as wide as it is, and 160 columns where output goes into a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

WIDTH = 160  # columns where nobody watches


def console() -> Any:
    """Where a command prints: standard output, without markup and without colours of its own."""
    from rich.console import Console

    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False, markup=False)


def table(title: str, rows: Iterable[dict[str, Any]]) -> Any:
    """Rows (one at least, of the same keys) under a title; columns of whole numbers stand to the right."""
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)
    made = Table(title=title, title_justify="left", title_style="bold", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for name in rows[0]:
        number = all(isinstance(row[name], int) for row in rows)
        made.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(str(value)) for value in row.values()))
    made.add_row()
    return made
