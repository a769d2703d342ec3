"""Specification curve (Simonsohn, Simmons & Nelson 2020): Hi-MoE's lead over ridge and over late fusion under every reasonable
choice of this run: how the recordings were prepared (variants), protocol and metric, one line each, sorted by the mean of
both leads. Clean input, targets averaged, 95% intervals over people and seeds, one comparison at a time. Hollow: people
share networks of too few seeds, so that the luck of training is in no interval; neither ahead nor behind then. A conclusion
that holds under one choice alone is a conclusion about that choice."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from himoe import registry
from himoe.config.protocols import PROTOCOLS
from himoe.names import STUDIED, parse_dataset
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import WIDTH, Theme, is_first_column, panels, width, wrapped
from himoe.report.titles import FEW, dataset_of, model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.intervals import interval
from himoe.stats.levels import CLEAN, levels
from himoe.stats.sides import AHEAD, BEHIND, FAILED, UNDECIDED, side

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Does the conclusion survive other choices?"
SECTION = "trust"
NEEDS = ("scores", "runs")
REQUIRES = {"models": "himoe", "variants": "*"}
RIVALS = ("ridge", "late_fusion")
METRICS = {"ccc": "CCC", "raw_ccc": "CCC uncalibrated", "pcc": "PCC"}
COLUMNS = ["recordings", "variant", "protocol", "metric", "other", "lead", "low", "high", "side"]


class Choice(NamedTuple):
    """One way to have analysed the recordings."""

    variant: str
    protocol: str
    metric: str

    @property
    def label(self) -> str:
        """For an axis."""
        return (
            f"{self.variant.replace('_', ' ') or 'as configured'} · {self.protocol.replace('_', ' ')} · {METRICS[self.metric]}"
        )


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One row of panels per data set that has variants, one panel per rival, one line per choice."""
    data = _leads(evidence)
    recordings = list(dict.fromkeys(data["recordings"]))
    rivals = [m for m in RIVALS if m in set(data["other"])]
    longest = max((len(_choices(pick(data, recordings=r))) for r in recordings), default=1)
    height = 0.6 + (0.17 if width() == WIDTH else 0.36) * longest
    figure, axes = panels(max(len(recordings), 1), max(len(rivals), 1), height=height, sharex=True)
    for row, name in zip(axes, recordings, strict=False):
        choices = _choices(pick(data, recordings=name))
        for ax, rival in zip(row, rivals, strict=True):
            _forest(ax, pick(data, recordings=name, other=rival), choices, theme)
            ax.set_title(f"lead over {model_title(rival)}: {_counts(pick(data, recordings=name, other=rival))}", fontsize=8.5)
            ax.tick_params(labelleft=is_first_column(ax))
        row[0].set_ylabel(fill(setting_title(name), 40))
    for ax in axes[-1]:
        ax.set_xlabel("Hi-MoE less the other")
    return FigureItem(figure, data, _finding(data))


def _leads(evidence: Evidence) -> pd.DataFrame:
    """Lead and interval of every choice and rival."""
    rows = []
    varied = {registry.recorded_as(d) for d in evidence.config.datasets if registry.is_variant(d)}
    for setting in evidence.settings:
        dataset, protocol = dataset_of(setting), evidence.protocol_of(setting)
        recorded = registry.recorded_as(dataset)
        if recorded not in varied or not PROTOCOLS[protocol].independent:
            continue
        variant = parse_dataset(dataset).variant if registry.is_variant(dataset) else ""
        here = evidence.models_of(setting)
        few = evidence.has_few_seeds(setting)
        for metric in METRICS:
            values = levels(pick(evidence.scores, setting=setting, condition=CLEAN, model=[STUDIED, *RIVALS]), metric)
            for other in (m for m in RIVALS if STUDIED in here and m in here):
                lead = interval(values[STUDIED] - values[other])
                rows.append(
                    [
                        recorded,
                        variant,
                        protocol,
                        metric,
                        other,
                        *map(float, lead),
                        side(lead) if not few or np.isnan(lead.mean) else FEW,
                    ]
                )
    return pd.DataFrame(rows, columns=COLUMNS)


def _choices(part: pd.DataFrame) -> list[Choice]:
    """Choices of one data set, from the smallest mean lead to the largest."""
    return [
        Choice(*key)
        for key in part.groupby(["variant", "protocol", "metric"])["lead"].mean().sort_values(na_position="first").index
    ]


def _forest(ax: Axes, part: pd.DataFrame, choices: list[Choice], theme: Theme) -> None:
    """A lead and its interval a line."""
    place = {choice: i for i, choice in enumerate(choices)}
    colours = dict.fromkeys((UNDECIDED, FEW, FAILED), theme.palette[-1]) | {AHEAD: theme.accent, BEHIND: theme.palette[0]}
    for row in part.itertuples():
        y, colour = place[Choice(row.variant, row.protocol, row.metric)], colours[row.side]
        if row.side == FAILED:
            ax.text(0.98, y, FAILED, transform=ax.get_yaxis_transform(), ha="right", va="center", fontsize=7.5)
        ax.hlines(y, row.low, row.high, color=colour, lw=1.4)
        ax.plot(row.lead, y, "o", ms=4, color=colour, mfc=theme.background if row.side == FEW else colour)
    ax.axvline(0, color=theme.text, lw=0.8)
    ax.set_yticks(
        range(len(choices)), [c.label if width() == WIDTH else wrapped(c.label, 7.5, 3) for c in choices], fontsize=7.5
    )
    for text, choice in zip(ax.get_yticklabels(), choices, strict=True):
        text.set_fontweight("normal" if choice.variant else "bold")  # as configured
    ax.set_ylim(-0.7, len(choices) - 0.3)


def _counts(part: pd.DataFrame) -> str:
    """``ahead 3, behind 0, undecided 2``, and what cannot tell."""
    sides = part["side"].value_counts()
    words = (AHEAD, BEHIND, UNDECIDED, *(word for word in (FEW, FAILED) if word in sides))
    return ", ".join(f"{word} {sides.get(word, 0)}" for word in words)


def _finding(data: pd.DataFrame) -> str:
    """Of each data set and rival, under how many choices Hi-MoE is ahead, behind and neither, and what cannot tell."""
    sentences = []
    for (name, other), part in data.groupby(["recordings", "other"], sort=False):
        against = f"{setting_title(name)}, Hi-MoE against {model_title(other)}"
        sentences.append(f"{against}, {len(part)} choices: {_counts(part)}.")
    return " ".join(sentences) or "No data set with variants has scores of Hi-MoE and of a rival."
