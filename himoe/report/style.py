"""How every figure looks: two widths, colours on a light and a dark page, models' lines, the synthetic stamp."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl

from himoe import registry
from himoe.names import STUDIED, parse_model
from himoe.report.colours import told_apart

mpl.use("Agg")
import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

WIDTH, PHONE = 7.6, 3.7  # inches: of a page, and of a phone, 355 px
LEAST = 1.9  # inches that a panel needs: four fit a page, one a phone
MOST_LINES = 5  # in a panel


@dataclass(frozen=True)
class Theme:
    """Colours on one background. ``line`` is for grids and edges, ``accent`` for the model under study, ``palette`` for the
    others; ``sequential`` and ``diverging`` name colour maps; ``shade`` is its place in a model's ``COLOUR``."""

    text: str
    line: str
    background: str
    accent: str
    palette: tuple[str, ...]
    sequential: str
    diverging: str
    shade: int


LIGHT = Theme(
    text="#1b1f24",
    line="#d8dde3",
    background="#ffffff",
    accent=registry.colours(STUDIED)[0],
    palette=("#0072b2", "#009e73", "#b8860b", "#cc79a7", "#56b4e9", "#6b7280"),
    sequential="Blues",
    diverging="RdBu_r",
    shade=0,
)
DARK = Theme(
    text="#e6e9ee",
    line="#3a414b",
    background="#161a20",
    accent=registry.colours(STUDIED)[1],
    palette=("#56b4e9", "#34d399", "#e8c547", "#f0a6cf", "#93c5fd", "#9ca3af"),
    sequential="Blues_r",
    diverging="RdBu_r",
    shade=1,
)
MARKERS = "sD^vP"
LABELS = 15  # beside a panel


@contextmanager
def themed(theme: Theme, inches: float = WIDTH) -> Iterator[None]:
    """Matplotlib's settings under a theme, for figures of a width. Text stays text, and equal input gives equal bytes."""
    settings: Any = {
        "svg.hashsalt": "himoe", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9,
        "font.sans-serif": ["DejaVu Sans"], "figure.facecolor": theme.background, "axes.facecolor": theme.background,
        "savefig.facecolor": theme.background, "text.color": theme.text, "axes.labelcolor": theme.text,
        "axes.edgecolor": theme.line, "xtick.color": theme.text, "ytick.color": theme.text, "axes.titlesize": 9.5,
        "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "grid.color": theme.line, "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False,
        "savefig.dpi": 150, "figure.dpi": 100, "figure.constrained_layout.use": True, "figure.figsize": (inches, inches / 2),
        "pdf.fonttype": 42,
    }  # fmt: skip
    with mpl.rc_context(settings):
        yield


def width() -> float:
    """Inches of the figures that are drawn now."""
    return float(mpl.rcParams["figure.figsize"][0])


def panels(
    n_rows: int, n_cols: int, height: float = 2.6, sharex: bool = False, sharey: bool = False, least: float = LEAST,
    widths: tuple[float, ...] | None = None,
) -> tuple[Figure, list[list[Axes]]]:  # fmt: skip
    """Axes by row and column; ``height``: inches a row, ``widths`` of the columns, relative, where not equal. Where columns
    would be narrower than ``least`` inches, as on a phone, each row goes on below itself."""
    n_fit = max(1, min(n_cols, int(width() / least)))
    n_lines = -(-n_cols // n_fit)  # that a row takes
    size = (width(), height * n_rows * n_lines + 0.5)
    figure, grid = plt.subplots(
        n_rows * n_lines, n_fit, figsize=size, squeeze=False, sharex=sharex, sharey=sharey,
        width_ratios=widths if n_fit == n_cols else None,
    )  # fmt: skip
    rows = grid.reshape(n_rows, n_lines * n_fit)
    for ax in rows[:, n_cols:].flat:
        ax.set_axis_off()
    if sharex and n_lines * n_fit > n_cols:
        for ax in rows[-1, n_cols - n_fit : n_cols]:
            ax.tick_params(labelbottom=True)
    return figure, rows[:, :n_cols].tolist()


def is_first_column(ax: Axes) -> bool:
    """Whether nothing stands left of a panel, so that it needs labels of its own."""
    spec = ax.get_subplotspec()
    return spec is None or spec.colspan.start == 0


def small_multiples(counts: list[int], height: float = 1.2) -> tuple[Figure, list[tuple[SubFigure, list[Axes]]]]:
    """Blocks below one another, each with a title of its own and this many small panels on one scale, ``height`` inches a row:
    six beside one another on a page, three on a phone."""
    n_cols = min(max(counts), 6 if width() == WIDTH else 3)
    rows = [-(-n // n_cols) for n in counts]
    heights = [height * n + 0.8 for n in rows]
    figure = plt.figure(figsize=(width(), sum(heights) + 0.5))
    blocks = []
    for part, n, n_rows in zip(
        figure.subfigures(len(counts), 1, squeeze=False, height_ratios=heights)[:, 0], counts, rows, strict=True
    ):
        grid = part.subplots(n_rows, n_cols, squeeze=False, sharex=True, sharey=True)
        for ax in grid.flat[n:]:
            ax.set_axis_off()
        for ax in grid.flat[max(n - n_cols, 0) : n]:
            ax.tick_params(labelbottom=True)
        blocks.append((part, list(grid.flat[:n])))
    return figure, blocks


def title_small(ax: Axes, name: str, finding: str = "", weight: str = "bold") -> None:
    """The title of a small panel: its name in lines that fit it and, below it, what is found."""
    spec = ax.get_subplotspec()
    lines = wrapped(name, 10.5, spec.get_gridspec().ncols if spec else 1)
    ax.set_title(f"{lines}\n{finding}" if finding else lines, fontsize=7.5, weight=weight)


def wrapped(text: str, points: float = 9, columns: int = 1) -> str:
    """In lines that fit the figure, or one of its columns, at a size."""
    return fill(text, int(width() * 72 / columns / (0.54 * points)), break_on_hyphens=False)


def fit_text(figure: Figure) -> None:
    """Break titles that are wider than their panel, and legends that are wider than the figure, which grows by what they take;
    the layout is final then, whatever it is saved as."""
    more = sum(_broken_legend(figure, legend) for legend in list(figure.legends))
    figure.set_figheight(figure.get_figheight() + more)
    titles = [ax._left_title for ax in figure.axes]  # type: ignore[attr-defined]
    long = [title for title in titles if title.get_window_extent().width > figure.bbox.width / 2]
    for title in long:
        title.set_visible(False)  # it would push its panel away
    figure.draw_without_rendering()
    for title in long:
        title.set_visible(True)
    added: dict[tuple[Any, int], float] = {}  # by row of a grid
    for ax in figure.axes:
        if (spec := ax.get_subplotspec()) is not None:
            row, here = (spec.get_gridspec(), spec.rowspan.start), ax.get_window_extent()
            room = here.width if row[0].ncols > 1 else figure.bbox.width - here.x0
            added[row] = max(added.get(row, 0.0), _broken_title(ax, room))
    if long or any(added.values()):
        figure.set_figheight(figure.get_figheight() + sum(added.values()))
        figure.draw_without_rendering()
    figure.set_layout_engine("none")


def _broken_title(ax: Axes, room: float) -> float:
    """Inches that a title takes more, once it fits this many pixels."""
    title = ax._left_title  # type: ignore[attr-defined]
    text, wide = title.get_text(), title.get_window_extent().width
    if not text or wide <= room:
        return 0.0
    lines = text.split("\n")
    longest = max(int(0.93 * max(map(len, lines)) * room / wide), 12)  # letters are not of one width
    title.set_text("\n".join(fill(line, longest, break_on_hyphens=False) for line in lines))
    return (title.get_text().count("\n") - len(lines) + 1) * title.get_fontsize() * 1.2 / 72


def _broken_legend(figure: Figure, legend: Any) -> float:
    """Inches that a legend takes more, once it has as many columns as fit."""
    if not legend.get_texts():
        return 0.0
    before, handles = legend.get_window_extent(), legend.legend_handles
    labels, points = [text.get_text() for text in legend.get_texts()], legend.get_texts()[0].get_fontsize()
    n_cols = legend._ncols
    while n_cols > 1 and legend.get_window_extent().width > figure.bbox.width:
        legend.remove()
        n_cols -= 1
        legend = figure.legend(handles, labels, loc="outside upper left", ncols=n_cols, fontsize=points)
    return max(legend.get_window_extent().height - before.height, 0.0) / figure.dpi


def stacked(lines: list[int], inches: float = 0.19, sharex: bool = True) -> tuple[Figure, list[Axes]]:
    """Axes one below the other, each as high as its number of lines asks for; one where there is none."""
    lines = lines or [1]
    size = (width(), inches * sum(lines) + 0.5 * len(lines) + 0.4)
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
    """By model, the same in every figure and run: the colours of its plug-in, a marker by its place. Hi-MoE has the heavy line,
    references are thin and dotted, ablations and other variants are dashed."""
    styles = {}
    for model in models:
        colour, marker = registry.colours(model)[theme.shade], MARKERS[registry.place(model) // 10 % len(MARKERS)]
        dash = "--" if parse_model(model).variant else "-"
        styles[model] = LineStyle(colour, marker, 1.4, dash)
        if registry.is_reference(model):
            styles[model] = LineStyle(colour, "^", 0.9, ":")
    return styles | {STUDIED: LineStyle(registry.colours(STUDIED)[theme.shade], "o", 2.2, "-")}


def share_a_panel(models: list[str]) -> bool:
    """Whether the lines of models can be in one panel: no more than five, all told apart by colour-blind readers, on either
    page."""
    return len(models) <= MOST_LINES and all(told_apart([registry.colours(m)[shade] for m in models]) for shade in (0, 1))


def label_beside(ax: Axes, points: Iterable[tuple[float, float, str, str]], bold: str = "") -> None:
    """Write the names of points (x, y, name, colour) in a column right of a panel, in the order of y and none over another,
    each with a line to its point. Limits of the axes must be set."""
    low, high = ax.get_ylim()
    points = sorted(points, key=lambda point: point[1])
    gap = 1 / max(len(points) - 1, LABELS)
    places: list[float] = []
    for _, y, _, _ in points:
        places.append(max((y - low) / (high - low), places[-1] + gap if places else 0.0))
    ceiling = 1.0
    for i in reversed(range(len(places))):
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - gap
    for place, (x, y, name, colour) in zip(places, points, strict=True):
        ax.annotate(
            name, (x, y), (1.04, place), textcoords="axes fraction", va="center", fontsize=7.5, annotation_clip=False,
            weight="bold" if name == bold else "normal",
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.7, "alpha": 0.5, "shrinkB": 4, "relpos": (0, 0.5)},
        )  # fmt: skip


def empty_panel(ax: Axes, title: str, theme: Theme) -> None:
    """A panel that says why it is empty: every fold failed, or no network was trained."""
    ax.set_axis_off()
    ax.set_title(title)
    ax.text(0.5, 0.5, "nothing to draw: no fold ended well", transform=ax.transAxes, ha="center", color=theme.text)


def stamp(figure: Figure, text: str, theme: Theme) -> None:
    """Write on the figure itself that its data are simulated."""
    figure.supxlabel(text, fontsize=8, color=theme.accent, weight="bold", x=0.99, ha="right")


def legend_above(figure: Figure, axes: Axes, n_cols: int = 5) -> None:
    """One legend for all panels, above them."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=n_cols, fontsize=8.5)
