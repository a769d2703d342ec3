"""Figures and tables as records: drawn or made from evidence files, written with caption, alt text and provenance."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, NamedTuple

from himoe import io, registry
from himoe.config.run import Config
from himoe.provenance import hash_file
from himoe.report.evidence import Evidence

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

STAMP = "SYNTHETIC - not comparable with the paper"


class Drawn(NamedTuple):
    """A figure, the numbers in it, and a sentence that states its finding."""

    figure: Figure
    data: pd.DataFrame
    alt: str


class Made(NamedTuple):
    """A table: ``data`` as numbers for the CSV, ``shown`` as text for the report, ``note`` below it, ``alt``: its finding."""

    data: pd.DataFrame
    shown: pd.DataFrame
    alt: str = ""
    note: str = ""


def _item(kind: str, name: str, evidence: Evidence, alt: str, note: str, code: Any) -> dict[str, Any]:
    """What a report says beside a figure or table."""
    peeked = registry.peek(kind, name)
    inputs = [f for files in evidence.files.values() for f in files]
    return {
        "name": name, "title": peeked["TITLE"], "section": peeked["SECTION"], "caption": " ".join(peeked["doc"].split()),
        "facts": evidence.facts(), "alt": alt, "note": note, "synthetic": evidence.synthetic and peeked.get("RESULTS", True),
        "provenance": {
            "rule": "draw_figure" if kind == "figures" else "write_table", "code": code,
            "inputs": {f: hash_file(f) for f in sorted(inputs)}, "seeds": list(evidence.config.seeds),
        },
    }  # fmt: skip


def write_table(name: str, files: dict[str, list[str]], config: dict[str, Any], code: Any) -> None:
    """results/tables/{name}.csv and .json."""
    evidence = Evidence(files, Config(**config))
    made: Made = importlib.import_module(f"himoe.tables.{name}").make(evidence)
    shown = made.shown.astype(str)
    item = _item("tables", name, evidence, made.alt, made.note, code)
    item |= {"kind": "table", "columns": list(shown.columns), "rows": shown.to_numpy().tolist(), "csv": f"tables/{name}.csv"}
    io.write_table(f"results/tables/{name}.csv", made.data)
    io.write_json(f"results/tables/{name}.json", item)


def draw_figure(name: str, files: dict[str, list[str]], config: dict[str, Any], code: Any) -> None:
    """results/figures/{name}.svg, .dark.svg, .png, .csv and .json."""
    import matplotlib.pyplot as plt

    from himoe.report import style

    evidence = Evidence(files, Config(**config))
    plugin = importlib.import_module(f"himoe.figures.{name}")
    stem = f"results/figures/{name}"
    for paper, suffixes in ((style.LIGHT, ("svg", "png")), (style.DARK, ("dark.svg",))):
        with style.style(paper):
            drawn: Drawn = plugin.draw(evidence, paper)
            if evidence.synthetic:
                style.stamp(drawn.figure, STAMP, paper)
            for suffix in suffixes:
                with io.atomic(f"{stem}.{suffix}") as temporary:
                    metadata = {"Date": None} if suffix.endswith("svg") else {"Software": None}
                    drawn.figure.savefig(temporary, format=suffix[-3:], metadata=metadata)
            plt.close(drawn.figure)
    io.write_table(f"{stem}.csv", drawn.data)
    item = _item("figures", name, evidence, drawn.alt, "", code)
    links = {"svg": f"figures/{name}.svg", "dark": f"figures/{name}.dark.svg", "png": f"figures/{name}.png"}
    io.write_json(f"{stem}.json", item | links | {"kind": "figure", "csv": f"figures/{name}.csv"})
