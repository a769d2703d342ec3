"""Where Hi-MoE's modality expert bank sends what it reads. Left: share of the fused representation that each modality (and
the null token) supplies as tokens are lost at random, stacked: they sum to 1. Shares of absent tokens are exactly 0, so weight
moves to the null token. Right: how much of each expert a modality's tokens take on clean input (soft combine weights), as a
multiple of an even use of all experts, on one scale for all data sets: 1, the colour of the page, is no preference. Means over
test trials of all folds and seeds that ended well."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap

from himoe.names import CLEAN
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, empty_panel, label_beside, panels
from himoe.report.text import number
from himoe.report.titles import dataset_of, failed_folds, setting_title
from himoe.stats.frames import pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Routing of the modality expert bank"
SECTION = "model"
NEEDS = ("routing", "runs")
REQUIRES = {"models": "himoe", "conditions": "missing_rate"}
NULL = "null token"
COLUMNS = ["setting", "map", "modality", "column", "value"]
FAINTEST, STRONGEST = 0.25, 0.95  # of the colours that layers are drawn in


class Maps(NamedTuple):
    """Of one setting: shares (modality, rate), and use of experts (modality, expert) in multiples of an even use."""

    share: pd.DataFrame
    use: pd.DataFrame


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """A row per data set."""
    settings = evidence.perturbed("missing_rate")
    figure, axes = panels(len(settings), 2, height=2.7, least=3)
    routing = evidence.routed(["missing_rate", CLEAN], ["modality_share", "modality_combine"])
    maps = {s: _maps(rows, _names(evidence, s)) for s in settings if len(rows := pick(routing, setting=s))}
    reach = max((float((m.use - 1).abs().to_numpy().max()) for m in maps.values()), default=0.0) or 1.0
    findings = []
    for pair, setting in zip(axes, settings, strict=True):
        title = setting_title(setting)
        if setting not in maps:
            for ax in pair:
                empty_panel(ax, title, theme)
            findings.append(f"{title}: every fold failed.")
            continue
        share, use = maps[setting]
        moved = f"null token {number(share.loc[NULL].iloc[0], 2)} to {number(share.loc[NULL].iloc[-1], 2)}"
        _layers(pair[0], share, theme)
        pair[0].set_title(f"{title}{failed_folds(evidence, setting)}: {moved}", fontsize=9)
        _experts(pair[1], use, reach, theme)
        pair[1].set_title(f"use of experts, {number(use.to_numpy().min(), 1)} to {number(use.to_numpy().max(), 1)}", fontsize=9)
        findings.append(f"{title}: {_finding(share, use)}.")
    return FigureItem(figure, _rows(maps), " ".join(findings))


def _names(evidence: Evidence, setting: str) -> list[str]:
    return [name.replace("_", " ") for name in evidence.config.modalities_of(dataset_of(setting))] + [NULL]


def _maps(rows: pd.DataFrame, names: list[str]) -> Maps:
    """Means over trials, folds and seeds, modalities by name and in their order."""
    share = pick(rows, quantity="modality_share", condition="missing_rate")
    share = share.assign(part=share["part"].astype(int)).pivot_table(index="part", columns="severity", values="value")
    combine = pick(rows, quantity="modality_combine", condition=CLEAN)
    at = combine["part"].str.split("/", expand=True).astype(int)
    use = combine.assign(token=at[0], expert=at[1] + 1).pivot_table(index="token", columns="expert", values="value")
    use = use.div(use.mean(axis=1), axis=0)
    return Maps(*(table.set_axis([names[i] for i in table.index], axis=0) for table in (share, use)))


def _layers(ax: Axes, share: pd.DataFrame, theme: Theme) -> None:
    """Shares on top of one another, the null token above all, each named beside its end."""
    rates, tops = share.columns.to_numpy(float), share.cumsum().to_numpy()
    bottoms = np.vstack([np.zeros_like(rates), tops[:-1]])
    colours = mpl.colormaps[theme.sequential](np.linspace(FAINTEST, STRONGEST, len(share) - 1))
    for low, high, colour in zip(bottoms, tops, [*colours, theme.accent], strict=True):
        ax.fill_between(rates, low, high, color=colour, ec=theme.background, lw=0.8)
    ax.set(xlim=(rates[0], rates[-1]), ylim=(0, 1), xlabel="random missing rate", ylabel="share in the fusion")
    ax.grid(False)
    middle = (bottoms[:, -1] + tops[:, -1]) / 2
    label_beside(ax, [(rates[-1], y, name, theme.text) for y, name in zip(middle, share.index, strict=True)], bold=NULL)


def _experts(ax: Axes, use: pd.DataFrame, reach: float, theme: Theme) -> None:
    """A heat map with its values written into the cells; an even use has the colour of the page."""
    values = use.to_numpy()
    ax.grid(False)
    colours = LinearSegmentedColormap.from_list("preference", [theme.palette[0], theme.background, theme.accent])
    ax.imshow(values, aspect="auto", cmap=colours, vmin=1 - reach, vmax=1 + reach)
    ax.set_yticks(range(len(use)), list(use.index), fontsize=7.5)
    ax.set_xticks(range(len(use.columns)), [str(e) for e in use.columns])
    ax.set_xlabel("expert")
    for (i, j), value in np.ndenumerate(values):
        colour = theme.background if abs(value - 1) > 0.7 * reach else theme.text
        ax.text(j, i, f"{value:.1f}", ha="center", va="center", fontsize=7, color=colour)


def _finding(share: pd.DataFrame, use: pd.DataFrame) -> str:
    """The largest share, where the null token goes, and the strongest preference."""
    clean, null, (name, expert) = share.iloc[:, 0], share.loc[NULL], use.stack().idxmax()
    return (
        f"the largest clean share is {number(clean.max(), 2)} ({clean.idxmax()}); the null token goes from "
        f"{number(null.iloc[0], 2)} to {number(null.iloc[-1], 2)} at rate {share.columns[-1]:g}; "
        f"{name} prefers expert {expert} most, {number(use.to_numpy().max(), 1)} times an even use"
    )


def _rows(maps: dict[str, Maps]) -> pd.DataFrame:
    """All numbers, one a row."""
    parts = [
        table.rename_axis(index="modality", columns="column").stack().rename("value").reset_index().assign(setting=s, map=name)
        for s, of in maps.items()
        for name, table in of._asdict().items()
    ]
    return pd.concat([part[COLUMNS] for part in parts] or [pd.DataFrame(columns=COLUMNS)], ignore_index=True)
