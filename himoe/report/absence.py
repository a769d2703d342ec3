"""What models are left with without some modalities: which are gone, and a picture where it is one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe import registry
from himoe.names import CLEAN, STUDIED
from himoe.report.evidence import Evidence
from himoe.report.text import listed, number
from himoe.report.titles import dataset_of, model_title
from himoe.stats.frames import pick
from himoe.stats.intervals import ALPHA, interval
from himoe.stats.levels import levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from himoe.report.style import Theme

ONE, NONE = "one_modality", "none"  # the condition that takes one modality away; where none is absent


def absent(data: pd.DataFrame, condition: str, n_modalities: int) -> dict[float, tuple[int, ...]]:
    """Which modalities each severity takes away, where severities are numbers of subsets."""
    gone = registry.load("conditions", condition).absent
    return {s: gone(s, n_modalities) for s in data["severity"].unique()}


def with_names(data: pd.DataFrame, condition: str, modalities: tuple[str, ...]) -> pd.DataFrame:
    """Rows with the column ``absent``: the names of what is gone, in words; ordered by severity."""
    gone = absent(data, condition, len(modalities))
    words = {s: ", ".join(modalities[i].replace("_", " ") for i in of) or NONE for s, of in gone.items()}
    return data.assign(absent=data["severity"].map(words)).sort_values("severity", kind="stable")


def what_matters(evidence: Evidence, setting: str) -> str:
    """Which modality Hi-MoE's CCC is lost without, by :data:`ONE`; empty where that was not tried or a fold failed. Lost: an
    interval of what is lost above 0, as wide as asking of so many modalities needs (Bonferroni)."""
    if setting not in evidence.perturbed(ONE):
        return ""
    scores = pick(evidence.scores, setting=setting, condition=ONE, model=STUDIED)
    rows = with_names(scores, ONE, evidence.config.modalities_of(dataset_of(setting)))
    left = {str(name): levels(part.assign(condition=CLEAN))[STUDIED] for name, part in rows.groupby("absent", sort=False)}
    whole = left.pop(NONE, None)
    if whole is None or not left or any(np.isnan(v).any() for v in (whole, *left.values())):
        return ""
    lost = {name: interval(whole - values, ALPHA / len(left)) for name, values in left.items()}
    missed = [f"{name} (to {number(left[name].mean(), 2)})" for name in left if lost[name].low > 0]
    level = f"{model_title(STUDIED)}'s CCC, {number(whole.mean(), 2)},"
    if not missed:
        worst = min(left, key=lambda name: left[name].mean())
        return f"none alone is shown to: {level} is still {number(left[worst].mean(), 2)} without {worst}, which costs most."
    others = [values.mean() for name, values in left.items() if not lost[name].low > 0]
    rest = f"; without any one of the other {len(others)} at least {number(min(others), 2)} is left" if others else ""
    return f"{level} falls without {listed(missed)}{rest}."


def one_by_one(blocks: dict[str, pd.DataFrame], theme: Theme) -> Figure:
    """A panel per title of ``blocks`` (rows: ``absent``, ``model``, ``ccc``, ``low``, ``high``; of rivals and Hi-MoE), a line
    per absent modality in the order of the rows: Hi-MoE with its interval, a tick for each rival on the range of all."""
    from himoe.report.style import stacked

    figure, axes = stacked([2 * rows["absent"].nunique() for rows in blocks.values()], inches=0.12, sharex=False)
    for ax, (title, rows) in zip(axes, blocks.items(), strict=True):
        names = list(dict.fromkeys(rows["absent"]))
        for y, name in enumerate(names):
            _line(ax, y, rows[rows["absent"] == name], theme)
        ax.axvline(0, color=theme.text, lw=0.8)
        ax.set_yticks(range(len(names)), names, fontsize=8)
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.grid(False, axis="y")
        ax.set_title(title, fontsize=9)
        ax.set_ylabel("absent")
        ax.set_xlabel("CCC, mean over people")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3, fontsize=8.5)
    return figure


def _line(ax: Axes, y: int, here: pd.DataFrame, theme: Theme) -> None:
    """One absent modality; the first has what stands in the legend."""
    rivals, studied = here[here["model"] != STUDIED]["ccc"].dropna(), pick(here, model=STUDIED)
    range_of, each, of_studied = ("" if y else word for word in ("range of rivals", "a rival", model_title(STUDIED)))
    if len(rivals):
        ax.hlines(y, rivals.min(), rivals.max(), color=theme.line, lw=6, zorder=1, label=range_of)
        ax.plot(rivals, [y] * len(rivals), "|", color=theme.palette[-1], ms=6, zorder=2, label=each)
    ax.hlines(y, studied["low"], studied["high"], color=theme.accent, lw=1.4, zorder=3)
    ax.plot(studied["ccc"], [y] * len(studied), "o", color=theme.accent, ms=5, zorder=4, label=of_studied)
