"""Figures and tables: made from evidence files by their plug-ins, written with caption, finding and provenance."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from himoe import io
from himoe.config.contents import Entry
from himoe.provenance import hash_file
from himoe.registry import ROOT
from himoe.report.evidence import Evidence

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

STAMP = "SYNTHETIC - not comparable with the paper"


class FigureItem(NamedTuple):
    """A figure, the numbers in it, and a sentence that states its finding."""

    figure: Figure
    data: pd.DataFrame
    finding: str


class TableItem(NamedTuple):
    """A table: ``data`` as numbers for the CSV, ``shown`` as text for the report, its finding, a note below it, and ``page``:
    what the page shows in another form than a grid, plain values that go into the record."""

    data: pd.DataFrame
    shown: pd.DataFrame
    finding: str = ""
    note: str = ""
    page: dict[str, Any] | None = None


def write_table(entry: Entry, evidence: Evidence, code: Any, outputs: dict[str, str]) -> None:
    """Make a table and write ``csv`` and ``item``, its record."""
    table: TableItem = importlib.import_module(f"himoe.tables.{entry.plugin}").make(evidence)
    shown = table.shown.astype(str)
    io.write_table(outputs["csv"], table.data)
    record = _record(entry, evidence, table.finding, table.note, code, outputs)
    record |= {"page": table.page} if table.page else {}
    io.write_json(outputs["item"], record | {"columns": list(shown.columns), "rows": shown.to_numpy().tolist()}, sealed=True)


SAVED: dict[str, dict[str, Any]] = {  # how a form is saved that is no SVG; without dates, so that equal input gives equal bytes
    "png": {"format": "png", "dpi": 300, "metadata": {"Software": None}},
    "pdf": {"format": "pdf", "metadata": {"CreationDate": None}},
}


def draw_figure(entry: Entry, evidence: Evidence, code: Any, outputs: dict[str, str]) -> None:
    """Draw a figure for a light and a dark page and for a phone, and write ``svg``, ``dark``, ``phone``, ``phone_dark``,
    ``png`` (300 dpi), ``pdf``, ``csv`` and ``item``, its record."""
    import matplotlib.pyplot as plt

    from himoe.report import style

    plugin = importlib.import_module(f"himoe.figures.{entry.plugin}")
    options = {"condition": entry.condition} if entry.condition else {}
    for theme, inches, forms in (
        (style.DARK, style.PHONE, ("phone_dark",)), (style.LIGHT, style.PHONE, ("phone",)),
        (style.DARK, style.WIDTH, ("dark",)), (style.LIGHT, style.WIDTH, ("svg", "png", "pdf")),
    ):  # fmt: skip
        with style.themed(theme, inches):
            drawn: FigureItem = plugin.draw(evidence, theme, **options)
            if _is_marked(entry, evidence):
                style.stamp(drawn.figure, STAMP, theme)
            style.fit_text(drawn.figure)
            for form in forms:
                with io.atomic(outputs[form]) as temporary:
                    drawn.figure.savefig(temporary, **SAVED.get(form, {"format": "svg", "metadata": {"Date": None}}))
            plt.close(drawn.figure)
    io.write_table(outputs["csv"], drawn.data)
    io.write_json(outputs["item"], _record(entry, evidence, drawn.finding, "", code, outputs), sealed=True)


def _is_marked(entry: Entry, evidence: Evidence) -> bool:
    """Whether an item shows results of simulated data."""
    return evidence.synthetic and entry.facts.get("RESULTS", True)


def _in_checkout(file: str) -> str:
    """A file's name as it stands in the checkout or in the folder of the run, so that no path of a machine is printed."""
    path, checkout = Path(file).resolve(), ROOT.parent.resolve()
    return str(path.relative_to(checkout)) if file.startswith("..") and path.is_relative_to(checkout) else file


def _record(
    entry: Entry, evidence: Evidence, finding: str, note: str, code: Any, outputs: dict[str, str]
) -> dict[str, Any]:  # fmt: skip
    """What the report prints beside a figure or table, and the names of its files in the folder of the record."""
    inputs = sorted(file for files in evidence.files.values() for file in files)
    files = {form: Path(path).name for form, path in outputs.items() if form != "item"}
    return files | {
        "name": entry.name, "kind": entry.kind.removesuffix("s"), "title": entry.title, "section": entry.section,
        "caption": entry.caption, "facts": evidence.facts(), "alt": finding, "note": note,
        "synthetic": _is_marked(entry, evidence),
        "provenance": {
            "rule": "draw_figure" if entry.kind == "figures" else "write_table", "code": code,
            "inputs": {_in_checkout(file): hash_file(file) for file in inputs}, "seeds": list(evidence.config.seeds),
        },
    }  # fmt: skip
