"""Estimated against injected lag of each displaced modality of each test trial, relative to the modalities left in place (to
the mean of all, where every one was moved): the estimate, and beside it what tokens were moved by; on the line they are
right. What is estimated is what the lag bank hears; what tokens are moved by also weighs how usual a lag is."""

import numpy as np
import pandas as pd

from himoe.config.facts import dataset_info
from himoe.report.evidence import Evidence
from himoe.report.items import Drawn
from himoe.report.style import Paper, nothing, panels
from himoe.report.titles import dataset_of, setting_title
from himoe.stats.lags import recovery

TITLE = "Estimated against injected lag"
SECTION = "model"
NEEDS = ("routing",)
REQUIRES = {"models": "himoe"}
CONDITIONS = {"shift": "one moved", "shift_half": "half moved", "shift_all": "all moved"}


def draw(evidence: Evidence, paper: Paper) -> Drawn:
    """One panel per condition of the first data set whose labels vary within a trial."""
    setting = next((s for s in evidence.settings if dataset_info(dataset_of(s)).per_token), evidence.settings[0])
    own = evidence.routing[evidence.routing["setting"] == setting]
    here = [c for c in CONDITIONS if c in evidence.config.conditions]
    figure, axes = panels(1, max(len(here), 1), height=2.9)
    tables, told = [], []
    for ax, condition in zip(axes[0], here, strict=False):
        found = recovery(own, condition)
        if found.empty:
            nothing(ax, CONDITIONS[condition], paper)
            continue
        spread = np.random.default_rng(0).uniform(-0.12, 0.12, len(found))
        for name, colour, aside in (("estimated", paper.ink, -0.16), ("moved", paper.accent, 0.16)):
            at = found["injected"] + aside + spread
            ax.scatter(
                at, found[name], s=6, color=colour, alpha=0.45, lw=0, rasterized=True, label=name if ax is axes[0][0] else None
            )
        ends = np.array([found["injected"].min(), found["injected"].max()])
        ax.plot(ends, ends, color=paper.ink, lw=0.8)
        ax.set_title(f"{setting_title(dataset_of(setting))} · {CONDITIONS[condition]}")
        ax.set_xlabel("injected lag (s)")
        error = (found["estimated"] - found["injected"]).abs()
        told.append(f"{CONDITIONS[condition]}: median error {error.median():.2f} s, {(error > 1).mean():.0%} beyond 1 s")
        tables.append(found.assign(condition=condition))
    axes[0][0].set_ylabel("found (s)")
    figure.legend(loc="outside upper left", ncols=2, fontsize=8.5, markerscale=2)
    data = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["condition", "injected", "estimated"])
    return Drawn(figure, data, ("; ".join(told) or "No lag was injected or estimated") + ".")
