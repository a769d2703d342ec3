"""Mean rank of each model that could be used on a new person, over people by CCC (targets and seeds averaged, clean input): 1
is best. A bar joins models whose mean ranks are within the critical difference of Nemenyi's test at 5%: they are not told apart
(Demšar 2006). With more models and fewer people it is larger, and a joined pair is no equal pair. Where people share networks
of few seeds the luck of training is in none of it."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import pandas as pd

from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import WIDTH, Theme, stacked, width
from himoe.report.text import number, p_value
from himoe.report.titles import few_seeds, model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.levels import levels
from himoe.stats.ranks import Ranked, not_told_apart, rank_models

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Mean ranks and what tells models apart"
SECTION = "comparison"
NEEDS = ("scores",)
COLUMNS = ["setting", "model", "rank", "critical_difference", "friedman_p", "n_subjects"]
BAR, TOP = 0.55, 1.9  # lines between bars; lines above the axis


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One panel per data set on which three models have every score."""
    found, rows = _ranked(evidence), []
    heights = [round(TOP + _below(r) + (len(r.mean) + 1) // 2 + 1) for r, _ in found.values()]
    figure, axes = stacked(heights, sharex=False)
    for ax, (setting, (ranked, n_people)) in zip(axes, found.items(), strict=False):
        _panel(ax, ranked, theme)
        ax.set_title(fill(f"{setting_title(setting)} · {n_people} people, Friedman p {p_value(ranked.of.p)}", 88), fontsize=8.5)
        rows += [[setting, m, r, ranked.of.critical, ranked.of.p, n_people] for m, r in ranked.mean.items()]
    if not found:
        axes[0].set_axis_off()
    return FigureItem(figure, pd.DataFrame(rows, columns=COLUMNS), _finding(found, evidence))


def _ranked(evidence: Evidence) -> dict[str, tuple[Ranked, int]]:
    """By setting, with the number of people."""
    found = {}
    for setting in evidence.judged:
        scores = pick(evidence.scores, setting=setting, model=[STUDIED, *evidence.config.rivals])
        values = levels(scores) if len(scores) else {}
        if ranked := rank_models(values):
            found[setting] = ranked, len(next(iter(values.values())))
    return found


def _below(ranked: Ranked) -> float:
    """Lines that the bars take."""
    return BAR * (len(not_told_apart(ranked.mean, ranked.of.critical)) + 1)


def _panel(ax: Axes, ranked: Ranked, theme: Theme) -> None:
    """The axis, the bars below it, and below them the names: the better half at the left, the others at the right."""
    n, bars, models = len(ranked.mean), _below(ranked), list(ranked.mean)
    ax.set_axis_off()
    ax.hlines(0, 1, n, color=theme.text, lw=1)
    for tick in range(1, n + 1):
        ax.vlines(tick, 0, 0.2, color=theme.text, lw=1)
        if width() == WIDTH or tick % 3 == 1:  # on a phone every third has room
            ax.text(tick, 0.35, str(tick), ha="center", va="bottom", fontsize=8)
    for i, group in enumerate(not_told_apart(ranked.mean, ranked.of.critical), 1):
        ends = ranked.mean[group[0]] - 0.01 * n, ranked.mean[group[-1]] + 0.01 * n
        ax.hlines(-BAR * i, *ends, color=theme.palette[0], lw=3.2)
    half = (n + 1) // 2
    for i, model in enumerate(models):
        left, y = i < half, -bars - (i if i < half else n - 1 - i) - 0.5
        rank, edge = ranked.mean[model], 1 - 0.05 * n if i < half else n + 0.05 * n
        colour, weight = (theme.accent, "bold") if model == STUDIED else (theme.text, "normal")
        ax.plot(
            [rank, rank, edge],
            [0, y, y],
            color=colour,
            lw=1.6 if model == STUDIED else 0.8,
            zorder=3 if model == STUDIED else 1,
        )
        name = f"{model_title(model)}  {number(rank, 1)}" if left else f"{number(rank, 1)}  {model_title(model)}"
        ax.text(edge, y, f" {name} ", ha="right" if left else "left", va="center", fontsize=8, color=colour, weight=weight)
    ax.hlines(TOP, 1, 1 + ranked.of.critical, color=theme.palette[0], lw=3.2)
    ax.text(1 + ranked.of.critical, TOP, f"  critical difference {number(ranked.of.critical, 1)}", va="center", fontsize=8)
    ax.set(xlim=(1 - 0.4 * n, n + 0.4 * n), ylim=(-bars - half, TOP + 0.5))


def _finding(found: dict[str, tuple[Ranked, int]], evidence: Evidence) -> str:
    """Who is first, where Hi-MoE stands and from how many it is told apart, by data set."""
    sentences = []
    for setting, (ranked, _) in found.items():
        mean = ranked.mean
        text = f"{setting_title(setting)}: {model_title(next(iter(mean)))} ranks first of {len(mean)}"
        if STUDIED in mean:
            apart = sum(abs(mean[m] - mean[STUDIED]) > ranked.of.critical for m in mean)
            text += f", Hi-MoE's mean rank is {number(mean[STUDIED], 1)}, told apart from {apart} of the {len(mean) - 1} others"
        text += few_seeds(evidence, setting)
        sentences.append(text + (f"; {len(ranked.failed)} failed" if ranked.failed else ""))
    return ". ".join(sentences) + "." if sentences else "No data set has three models with every score."
