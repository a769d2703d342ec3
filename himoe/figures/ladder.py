"""What a protocol gives away: the same models on the same recordings, judged from left to right on less demanding test rows.
Each point is the mean over people of the correlation (PCC) between prediction and label, with its 95% interval over people and
seeds; one panel a model. The shaded protocol is invalid: windows of one trial, with its one label, stand on both sides. What
rises from left to right was not gained from emotion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from himoe.config.protocols import PROTOCOLS
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.ladder import KEYS, METRICS, ladder, protocols_of, what_leaks
from himoe.report.style import LineStyle, Theme, line_styles, small_multiples, title_small, wrapped
from himoe.report.text import FAILED, number
from himoe.report.titles import model_title
from himoe.stats.frames import pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "What each protocol gives away"
SECTION = "trust"
NEEDS = ("scores",)
REQUIRES = {"protocols": "window_random"}


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One block per data set and target, one panel per model, one point per protocol."""
    data, models = ladder(evidence), [*evidence.models, *evidence.controls]
    shown, protocols = pick(data, metric=METRICS[0]), protocols_of(evidence)
    cells = [(d, t) for d in evidence.config.datasets for t in evidence.config.targets_of(d)]
    fitted = [[m for m in models if m in set(pick(shown, dataset=d, target=t)["model"])] for d, t in cells]
    figure, blocks = small_multiples([len(names) for names in fitted], height=1.25)
    styles = line_styles(theme, models)
    for (block, axes), (dataset, target), names in zip(blocks, cells, fitted, strict=True):
        here = pick(shown, dataset=dataset, target=target)
        for ax, model in zip(axes, names, strict=True):
            _steps(ax, pick(here, model=model).set_index("protocol").reindex(protocols), styles[model], theme)
            values = pick(here, model=model).set_index("protocol")["value"].reindex(protocols).dropna()
            ends = f"{number(values.iloc[0], 2)} to {number(values.iloc[-1], 2)}" if len(values) else FAILED
            title_small(ax, model_title(model), ends)
        means = pick(shown, dataset=dataset, target=target).set_index(KEYS)["value"]
        n_people = here["n_subjects"].max()
        title = f"{target.capitalize()} ({n_people} people). {what_leaks(evidence, means)}"
        block.suptitle(wrapped(title), x=0.01, ha="left", fontsize=9)
        block.supylabel("PCC, mean over people", fontsize=8.5)
    named = [f"{i + 1} {PROTOCOLS[p].title}" + (" (invalid)" if PROTOCOLS[p].invalid else "") for i, p in enumerate(protocols)]
    blocks[-1][0].supxlabel(wrapped(" · ".join(named), 8.5), fontsize=8.5)
    return FigureItem(figure, data, what_leaks(evidence, shown.set_index(KEYS)["value"]))


def _steps(ax: Axes, rows: pd.DataFrame, style: LineStyle, theme: Theme) -> None:
    """A model's points from the most to the least demanding protocol."""
    places = range(len(rows))
    reach = (rows["value"] - rows["low"], rows["high"] - rows["value"])
    ax.errorbar(places, rows["value"], reach, color=style.colour, marker=style.marker, ms=4, lw=1.2, elinewidth=1)
    for place, protocol in enumerate(rows.index):
        if PROTOCOLS[protocol].invalid:
            ax.axvspan(place - 0.5, place + 0.5, color=theme.line, lw=0, zorder=0)
    ax.axhline(0, color=theme.text, lw=0.8)
    ax.set_xticks(list(places), [f"{place + 1}" for place in places])
    ax.tick_params(labelsize=7.5)
    ax.set_xlim(-0.5, len(rows) - 0.5)
    ax.grid(False, axis="x")
