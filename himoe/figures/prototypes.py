"""Signed weight of each emotional prototype in Hi-MoE's emotion expert bank, by what the subject reported: quadrants of
the first two targets around their medians (thirds, where there is one target). Prototypes are named by their anchor:
degrees on the plane of the first two targets (0: the first is high, 90: the second is high), or a position on the line.
Differential attention can make a weight negative: that prototype's expert is subtracted. Numbers are means over test trials,
clean input; colour is the departure from the column's mean, so an even column means that the prototype does not tell the
groups apart."""

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, empty_panel, failed_folds, panels
from himoe.report.titles import setting_title
from himoe.stats.frames import pick
from himoe.stats.information import rating_groups

TITLE = "Prototype weights of the emotion expert bank"
SECTION = "model"
NEEDS = ("routing", "predictions", "runs")
REQUIRES = {"models": "himoe"}
KEYS = ["seed", "fold", "subject", "trial"]


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One heat map per data set."""
    settings = evidence.settings
    figure, axes = panels(1, len(settings), height=2.9)
    routing = pick(evidence.routing, model=STUDIED, condition="clean")
    predictions = pick(evidence.predictions, model=STUDIED, condition="clean")
    parts, findings = [], []
    for ax, setting in zip(axes[0], settings, strict=True):
        targets = evidence.targets_of(setting)
        rows = pick(routing, setting=setting)
        if rows.empty:
            empty_panel(ax, setting_title(setting), theme)
            findings.append(f"{setting_title(setting)}: every fold failed")
            continue
        weight = pick(rows, quantity="prototype_weight").assign(part=lambda f: f["part"].astype(int))
        lam = pick(rows, quantity="lambda")["value"].mean()
        labels = pick(predictions, setting=setting).pivot_table(index=KEYS, columns="target", values="y_true")
        weight = weight.merge(rating_groups(labels, targets).rename("group").reset_index(), on=KEYS)
        table = weight.pivot_table(index="group", columns="part", values="value", observed=False)
        values = table.to_numpy() - table.to_numpy().mean(0)
        limit = max(np.abs(values).max(), 1e-9)
        ax.grid(False)
        ax.imshow(values, aspect="auto", cmap=theme.diverging, vmin=-limit, vmax=limit)
        ax.set_yticks(range(len(table)), list(table.index))
        ax.set_xticks(range(len(table.columns)), _anchor_names(len(table.columns), len(targets)), fontsize=7)
        for (i, j), value in np.ndenumerate(table.to_numpy()):
            colour = "#ffffff" if abs(values[i, j]) > 0.6 * limit else "#10151c"
            ax.text(j, i, f"{value:+.2f}", ha="center", va="center", fontsize=6, color=colour)
        ax.set_title(f"{setting_title(setting)}{failed_folds(evidence, setting)} · lambda {lam:.2f}")
        ax.set_xlabel("prototype (anchor, degrees)" if len(targets) > 1 else "prototype (anchor)")
        long = table.rename_axis(columns="prototype").stack(future_stack=True).rename("weight").reset_index()
        parts.append(long.assign(setting=setting))
        spread = table.max() - table.min()
        findings.append(
            f"{setting_title(setting)}: a prototype's mean weight differs between groups by up to {spread.max():.2f}"
        )
    data = pd.concat(parts or [pd.DataFrame(columns=["group", "prototype", "weight", "setting"])], ignore_index=True)
    return FigureItem(figure, data, ". ".join(findings) + ".")


def _anchor_names(n_prototypes: int, n_targets: int) -> list[str]:
    if n_targets == 1:
        return [f"{a:+.1f}" for a in np.linspace(-1.5, 1.5, n_prototypes)]
    return [f"{360 * k / n_prototypes:.0f}°" for k in range(n_prototypes)]
