"""Where Hi-MoE's modality expert bank sends what it reads. Left: share of the fused representation that each modality (and
the null token) supplies as tokens are lost at random; shares of absent tokens are exactly 0, so weight moves to the null
token. Right: how much of each expert a modality's tokens take on clean input (soft combine weights). Means over test trials
of all folds and seeds that ended well."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.names import CLEAN
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, empty_panel, panels
from himoe.report.titles import dataset_of, failed_folds, setting_title
from himoe.stats.frames import pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Routing of the modality expert bank"
SECTION = "model"
NEEDS = ("routing", "runs")
REQUIRES = {"models": "himoe", "conditions": "missing_rate"}


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """Two heat maps per data set."""
    settings = evidence.perturbed("missing_rate")
    figure, axes = panels(len(settings), 2, height=3.0)
    parts, findings = [], []
    routing = evidence.routed(["missing_rate", CLEAN], ["modality_share", "modality_combine"])
    for pair, setting in zip(axes, settings, strict=True):
        names = [name.replace("_", " ") for name in evidence.config.modalities_of(dataset_of(setting))] + ["null token"]
        rows = pick(routing, setting=setting)
        if rows.empty:
            for ax in pair:
                empty_panel(ax, setting_title(setting), theme)
            findings.append(f"{setting_title(setting)}: every fold failed")
            continue
        share = pick(rows, quantity="modality_share", condition="missing_rate")
        by_rate = share.assign(part=share["part"].astype(int)).pivot_table(index="part", columns="severity", values="value")
        combine = pick(rows, quantity="modality_combine", condition=CLEAN)
        index = combine["part"].str.split("/", expand=True).astype(int)
        by_expert = combine.assign(token=index[0], expert=index[1]).pivot_table(index="token", columns="expert", values="value")
        _heat(pair[0], by_rate, names, [f"{s:g}" for s in by_rate.columns], theme)
        _heat(pair[1], by_expert, names, [f"{e + 1}" for e in by_expert.columns], theme)
        pair[0].set_title(f"{setting_title(setting)}{failed_folds(evidence, setting)} · share in the fusion")
        pair[1].set_title("use of experts, clean")
        pair[0].set_xlabel("random missing rate")
        pair[1].set_xlabel("expert")
        for title, table in (("share", by_rate), ("combine", by_expert)):
            long = table.rename_axis(columns="column").stack().rename("value").reset_index()
            parts.append(long.assign(setting=setting, map=title, modality=[names[i] for i in long.iloc[:, 0]]))
        clean = by_rate.iloc[:, 0]
        findings.append(
            f"{setting_title(setting)}: the largest clean share is {clean.max():.2f} ({names[int(clean.idxmax())]}); "
            f"the null token goes from {by_rate.iloc[-1, 0]:.2f} to {by_rate.iloc[-1, -1]:.2f} at rate {by_rate.columns[-1]:g}"
        )
    columns = ["setting", "map", "modality", "column", "value"]
    data = pd.concat([part[columns] for part in parts] or [pd.DataFrame(columns=columns)], ignore_index=True)
    return FigureItem(figure, data, ". ".join(findings) + ".")


def _heat(ax: "Axes", table: pd.DataFrame, names: list[str], columns: list[str], theme: Theme) -> None:
    """A heat map with its values written into the cells."""
    values = table.to_numpy()
    ax.grid(False)
    ax.imshow(values, aspect="auto", cmap=theme.sequential, vmin=0, vmax=max(values.max(), 1e-9))
    ax.set_yticks(range(len(values)), [names[i] for i in table.index])
    ax.set_xticks(range(len(columns)), columns)
    size = 7 if len(columns) <= 7 else 5.5
    for (i, j), value in np.ndenumerate(values):
        strong = value > 0.55 * values.max()
        dark_cell = strong if theme.sequential == "Blues" else not strong
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=size, color="#ffffff" if dark_cell else "#10151c")
