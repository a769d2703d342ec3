"""Estimated against injected lag of each displaced modality of each test trial, relative to the modalities left in place (to
the mean of all, where every one was moved): the estimate, and beside it what tokens were moved by; on the thin line they are
right, the heavy one is the slope through 0. The estimate is what the lag bank finds; how far tokens are moved also depends on
how usual a lag is. Lags that were found with nothing injected are subtracted. Modalities are drawn at random; the table of
recovered lags says how it goes for each of them. 95% intervals over people and seeds. Trials
of a fold that failed under one seed are left out under all."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.config.facts import dataset_info
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, empty_panel, panels
from himoe.report.text import interval
from himoe.report.titles import dataset_of, failed_folds, setting_title
from himoe.stats.frames import complete, pick
from himoe.stats.lags import QUANTITIES, recovered, recovery

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Estimated against injected lag"
SECTION = "async"
NEEDS = ("routing", "runs")
REQUIRES = {"models": "himoe"}
CONDITIONS = {"shift": "one moved", "shift_half": "half moved", "shift_all": "all moved"}
MAX_POINTS = 2000  # in a panel
COLUMNS = ["setting", "condition", "modality", "injected", "estimated", "moved"]


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One row per data set in which something was displaced, one panel per condition."""
    conditions = [c for c in CONDITIONS if c in evidence.config.conditions]
    settings = [s for s in evidence.leading if any(s in evidence.perturbed(c) for c in conditions)] or evidence.leading[:1]
    figure, axes = panels(len(settings), max(len(conditions), 1), height=2.9)
    routed = evidence.routed(conditions, QUANTITIES)
    parts, findings = [], []
    for row, setting in zip(axes, settings, strict=True):
        routing, token = pick(routed, setting=setting), 1 / dataset_info(dataset_of(setting)).token_rate
        for ax, condition in zip(row, conditions, strict=False):
            lags, title = complete(recovery(routing, condition)), CONDITIONS[condition]
            if lags.empty:
                if setting in evidence.perturbed(condition):
                    empty_panel(ax, title, theme)
                ax.set_axis_off()
                continue
            names = evidence.config.modalities_of(dataset_of(setting))
            named = lags.assign(setting=setting, condition=condition, modality=[names[int(k)] for k in lags["part"]])
            parts.append(named[COLUMNS])
            lost = failed_folds(evidence, setting)
            findings.append(f"{setting_title(setting)}, {title}{lost}: {_panel(ax, lags, token, title, theme)}")
        row[0].set_ylabel(f"{setting_title(setting).split(',')[0]}\nfound (s)")
    if parts:
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper left", ncols=2, fontsize=8.5, markerscale=2)
    data = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return FigureItem(figure, data, ("; ".join(findings) or "No lag was injected or estimated") + ".")


def _panel(ax: "Axes", lags: pd.DataFrame, token: float, title: str, theme: Theme) -> str:
    """Points and slope under one condition, and what they say."""
    found = recovered(lags, token, n_permutations=200)
    shown = lags.sample(min(MAX_POINTS, len(lags)), random_state=0)
    spread = np.random.default_rng(0).uniform(-0.12, 0.12, len(shown))  # so that equal lags do not hide one another
    for column, colour, aside in (("estimated", theme.text, -0.16), ("moved", theme.accent, 0.16)):
        x = shown["injected"] + aside + spread
        ax.scatter(x, shown[column], s=6, color=colour, alpha=0.3, lw=0, rasterized=True, label=column)
    ends = np.array([lags["injected"].min(), lags["injected"].max()])
    ax.plot(ends, ends, color=theme.text, lw=0.8)
    said = f"{float(found.within.mean):.0%} within {token:g} s (chance {found.chance:.0%})"
    mean, low, high = map(float, found.slope)
    ax.plot(ends, mean * ends, color=theme.palette[0], lw=2.2)
    slope = f"slope {interval(mean, low, high, 2)}"
    ax.set_title(f"{title}, {found.n_people} people\n{said}\n{slope}", fontsize=8)
    ax.set_xlabel("injected lag (s)")
    return f"{said}, {slope}, median error {found.error:.2f} s"
