"""Estimated against injected lag of each displaced modality of each test trial, relative to the modalities left in place (to
the mean of all, where every one was moved): the estimate, and beside it what tokens were moved by; on the line they are
right. The estimate is what the lag bank finds; how far tokens are moved also depends on how usual a lag is."""

import numpy as np
import pandas as pd

from himoe.config.facts import dataset_info
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, empty_panel, panels
from himoe.report.titles import dataset_of, setting_title
from himoe.stats.frames import pick
from himoe.stats.lags import recovery

TITLE = "Estimated against injected lag"
SECTION = "async"
NEEDS = ("routing",)
REQUIRES = {"models": "himoe"}
CONDITIONS = {"shift": "one moved", "shift_half": "half moved", "shift_all": "all moved"}


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One panel per condition of the first data set whose labels vary within a trial."""
    conditions = [c for c in CONDITIONS if c in evidence.config.conditions]
    shifted = [s for s in evidence.settings if any(s in evidence.perturbed(c) for c in conditions)] or evidence.settings
    setting = next((s for s in shifted if dataset_info(dataset_of(s)).per_token), shifted[0])
    routing = pick(evidence.routing, setting=setting)
    figure, axes = panels(1, max(len(conditions), 1), height=2.9)
    parts, findings = [], []
    for ax, condition in zip(axes[0], conditions, strict=False):
        lags = recovery(routing, condition)
        if lags.empty:
            empty_panel(ax, CONDITIONS[condition], theme)
            continue
        spread = np.random.default_rng(0).uniform(-0.12, 0.12, len(lags))  # so that equal lags do not hide one another
        for column, colour, aside in (("estimated", theme.text, -0.16), ("moved", theme.accent, 0.16)):
            label = column if ax is axes[0][0] else None
            x = lags["injected"] + aside + spread
            ax.scatter(x, lags[column], s=6, color=colour, alpha=0.45, lw=0, rasterized=True, label=label)
        ends = np.array([lags["injected"].min(), lags["injected"].max()])
        ax.plot(ends, ends, color=theme.text, lw=0.8)
        ax.set_title(f"{setting_title(dataset_of(setting))} · {CONDITIONS[condition]}")
        ax.set_xlabel("injected lag (s)")
        error = (lags["estimated"] - lags["injected"]).abs()
        findings.append(f"{CONDITIONS[condition]}: median error {error.median():.2f} s, {(error > 1).mean():.0%} beyond 1 s")
        parts.append(lags.assign(condition=condition))
    axes[0][0].set_ylabel("found (s)")
    figure.legend(loc="outside upper left", ncols=2, fontsize=8.5, markerscale=2)
    data = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["condition", "injected", "estimated"])
    return FigureItem(figure, data, ("; ".join(findings) or "No lag was injected or estimated") + ".")
