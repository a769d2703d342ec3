"""How every figure looks: sizes, inks of the light and dark paper, model colours (Okabe & Ito 2008), the synthetic stamp."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl

from himoe.names import STUDIED

mpl.use("Agg")
import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from himoe.report.evidence import Evidence

WIDTH = 7.6


@dataclass(frozen=True)
class Paper:
    """Colours of one background; ``sequential`` and ``diverging`` name colour maps."""

    ink: str
    faint: str
    ground: str
    accent: str
    palette: tuple[str, ...]
    sequential: str
    diverging: str


LIGHT = Paper(
    "#1b1f24",
    "#d8dde3",
    "#ffffff",
    "#c2410c",
    ("#0072b2", "#009e73", "#b8860b", "#cc79a7", "#56b4e9", "#6b7280"),
    "Blues",
    "RdBu_r",
)
DARK = Paper(
    "#e6e9ee",
    "#3a414b",
    "#161a20",
    "#fb923c",
    ("#56b4e9", "#34d399", "#e8c547", "#f0a6cf", "#93c5fd", "#9ca3af"),
    "Blues_r",
    "RdBu_r",
)
MARKERS = "osD^vP"
DASHES = ("-", "--", ":")


@contextmanager
def style(paper: Paper) -> Iterator[None]:
    """Matplotlib settings of a paper; text stays text and equal input gives equal bytes."""
    settings = {
        "svg.hashsalt": "himoe", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9,
        "font.sans-serif": ["DejaVu Sans"], "figure.facecolor": paper.ground, "axes.facecolor": paper.ground,
        "savefig.facecolor": paper.ground, "text.color": paper.ink, "axes.labelcolor": paper.ink,
        "axes.edgecolor": paper.faint, "xtick.color": paper.ink, "ytick.color": paper.ink, "axes.titlesize": 9.5,
        "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "grid.color": paper.faint, "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False,
        "savefig.dpi": 150, "figure.dpi": 100, "figure.constrained_layout.use": True,
    }  # fmt: skip
    with mpl.rc_context(settings):
        yield


def panels(n_rows: int, n_cols: int, height: float = 2.6, **kwargs: object) -> tuple[Figure, list[list[Axes]]]:
    """A grid of axes of the report's width; ``height`` inches a row."""
    figure, axes = plt.subplots(n_rows, n_cols, figsize=(WIDTH, height * n_rows + 0.5), squeeze=False, **kwargs)
    return figure, axes.tolist()


class Ink(NamedTuple):
    """How a model is drawn everywhere."""

    colour: str
    marker: str
    width: float
    dash: str


def inks(paper: Paper, models: list[str]) -> dict[str, Ink]:
    """By model; Hi-MoE always has the accent and the heavy line, beyond the palette's colours lines are dashed, then dotted."""
    n = len(paper.palette)
    others = enumerate(m for m in models if m != STUDIED)
    out = {m: Ink(paper.palette[i % n], MARKERS[1 + i % 5], 1.3, DASHES[i // n % len(DASHES)]) for i, m in others}
    return out | {STUDIED: Ink(paper.accent, MARKERS[0], 2.4, "-")}


def nothing(ax: Axes, title: str, paper: Paper) -> None:
    """An empty panel that says why: no network has a fold that did not fail, or none was trained."""
    ax.set_axis_off()
    ax.set_title(title)
    ax.text(0.5, 0.5, "nothing to draw: no fold ended well", transform=ax.transAxes, ha="center", color=paper.ink)


def without_failed(evidence: Evidence, setting: str, model: str = STUDIED) -> str:
    """``, without 2 failed folds``, to be put behind a panel's name; empty where none failed."""
    n = len(evidence.failed.get((setting, model), []))
    return f", without {n} failed fold{'s' * (n > 1)}" if n else ""


def stamp(figure: Figure, text: str, paper: Paper) -> None:
    """Say on the figure itself that its data are simulated."""
    figure.supxlabel(text, fontsize=8, color=paper.accent, weight="bold", x=0.99, ha="right")


def legend_above(figure: Figure, axes: Axes, n_cols: int = 5) -> None:
    """One legend for all panels, above them."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=n_cols, fontsize=8.5)
