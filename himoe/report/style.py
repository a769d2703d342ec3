"""How every figure looks: sizes, colours on a light and a dark page (Okabe & Ito 2008), models' lines, the synthetic stamp."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl

from himoe import registry
from himoe.names import STUDIED

mpl.use("Agg")
import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from himoe.report.evidence import Evidence

WIDTH = 7.6  # inches


@dataclass(frozen=True)
class Theme:
    """Colours on one background. ``line`` is for grids and edges, ``accent`` for the model under study, ``palette`` for the
    others; ``sequential`` and ``diverging`` name colour maps."""

    text: str
    line: str
    background: str
    accent: str
    palette: tuple[str, ...]
    sequential: str
    diverging: str


LIGHT = Theme(
    text="#1b1f24",
    line="#d8dde3",
    background="#ffffff",
    accent="#c2410c",
    palette=("#0072b2", "#009e73", "#b8860b", "#cc79a7", "#56b4e9", "#6b7280"),
    sequential="Blues",
    diverging="RdBu_r",
)
DARK = Theme(
    text="#e6e9ee",
    line="#3a414b",
    background="#161a20",
    accent="#fb923c",
    palette=("#56b4e9", "#34d399", "#e8c547", "#f0a6cf", "#93c5fd", "#9ca3af"),
    sequential="Blues_r",
    diverging="RdBu_r",
)
MARKERS = "osD^vP"
DASHES = ("-", "--", ":")


@contextmanager
def themed(theme: Theme) -> Iterator[None]:
    """Matplotlib's settings under a theme. Text stays text, and equal input gives equal bytes."""
    settings: Any = {
        "svg.hashsalt": "himoe", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9,
        "font.sans-serif": ["DejaVu Sans"], "figure.facecolor": theme.background, "axes.facecolor": theme.background,
        "savefig.facecolor": theme.background, "text.color": theme.text, "axes.labelcolor": theme.text,
        "axes.edgecolor": theme.line, "xtick.color": theme.text, "ytick.color": theme.text, "axes.titlesize": 9.5,
        "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "grid.color": theme.line, "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False,
        "savefig.dpi": 150, "figure.dpi": 100, "figure.constrained_layout.use": True,
    }  # fmt: skip
    with mpl.rc_context(settings):
        yield


def panels(
    n_rows: int, n_cols: int, height: float = 2.6, sharex: bool = False, sharey: bool = False,
    widths: tuple[float, ...] | None = None,
) -> tuple[Figure, list[list[Axes]]]:  # fmt: skip
    """A grid of axes as wide as the report; ``height``: inches a row, ``widths`` of the columns, relative, where not equal."""
    size = (WIDTH, height * n_rows + 0.5)
    figure, axes = plt.subplots(
        n_rows, n_cols, figsize=size, squeeze=False, sharex=sharex, sharey=sharey, width_ratios=widths
    )  # fmt: skip
    return figure, axes.tolist()


def stacked(lines: list[int], inches: float = 0.19, sharex: bool = True) -> tuple[Figure, list[Axes]]:
    """Axes one below the other, each as high as its number of lines asks for; one where there is none."""
    lines = lines or [1]
    size = (WIDTH, inches * sum(lines) + 0.5 * len(lines) + 0.4)
    heights = [max(n, 2) for n in lines]
    figure, axes = plt.subplots(len(lines), 1, figsize=size, squeeze=False, sharex=sharex, height_ratios=heights)
    return figure, axes[:, 0].tolist()


class LineStyle(NamedTuple):
    """How a model is drawn."""

    colour: str
    marker: str
    width: float
    dash: str


def line_styles(theme: Theme, models: list[str]) -> dict[str, LineStyle]:
    """By model. Hi-MoE has the accent and the heavy line; once the palette is used up, lines are dashed, then dotted.
    References are thin and in the colour of text."""
    n = len(theme.palette)
    others = enumerate(m for m in models if m != STUDIED and not registry.is_reference(m))
    references = {m: LineStyle(theme.text, MARKERS[2], 0.9, ":") for m in models if registry.is_reference(m)}
    styles = {m: LineStyle(theme.palette[i % n], MARKERS[1 + i % 5], 1.3, DASHES[i // n % len(DASHES)]) for i, m in others}
    return styles | references | {STUDIED: LineStyle(theme.accent, MARKERS[0], 2.4, "-")}


def empty_panel(ax: Axes, title: str, theme: Theme) -> None:
    """A panel that says why it is empty: every fold failed, or no network was trained."""
    ax.set_axis_off()
    ax.set_title(title)
    ax.text(0.5, 0.5, "nothing to draw: no fold ended well", transform=ax.transAxes, ha="center", color=theme.text)


def failed_folds(evidence: Evidence, setting: str, model: str = STUDIED) -> str:
    """``, without 2 failed folds``, to follow a panel's title; empty where none failed."""
    n = len(evidence.failed.get((setting, model), []))
    return f", without {n} failed fold{'s' * (n > 1)}" if n else ""


def stamp(figure: Figure, text: str, theme: Theme) -> None:
    """Write on the figure itself that its data are simulated."""
    figure.supxlabel(text, fontsize=8, color=theme.accent, weight="bold", x=0.99, ha="right")


def legend_above(figure: Figure, axes: Axes, n_cols: int = 5) -> None:
    """One legend for all panels, above them."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=n_cols, fontsize=8.5)
