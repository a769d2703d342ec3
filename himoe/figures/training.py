"""Inner-validation loss (squared error of standardised targets plus half of 1 - CCC) of every fold while it trains; the dot
marks the epoch with the best validation CCC, which is the one used; a cross, where a fold diverged. Test subjects play no part
in it."""

from typing import Any

import pandas as pd

from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, empty_panel, line_styles, panels
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick

TITLE = "Training on inner validation"
SECTION = "appendix"
NEEDS = ("runs",)
FOLD = ["setting", "model", "seed", "fold"]
HISTORY = ["epoch", "loss", "valid_loss", "valid_ccc"]


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One panel per data set, one line per fold of every trained model."""
    settings, styles = evidence.settings, line_styles(theme, evidence.models)
    figure, axes = panels(1, len(settings), height=2.7)
    rows: list[list[Any]] = []
    for run in (r for r in evidence.runs if r["model"] in styles):
        ax, style = axes[0][settings.index(run["setting"])], styles[run["model"]]
        width, alpha = (1.4, 0.9) if run["model"] == STUDIED or len(styles) < 5 else (0.8, 0.45)
        for number, fold in run["folds"].items():
            if not fold["history"]:
                continue
            history = pd.DataFrame(fold["history"])
            ax.plot(history["epoch"], history["valid_loss"], style.dash, color=style.colour, lw=width, alpha=alpha)
            dot = history[:0] if fold["failed"] else pick(history, epoch=fold["best_epoch"])
            label = None if any(row[1] == run["model"] for row in rows) else model_title(run["model"])
            ax.scatter(
                dot["epoch"], dot["valid_loss"], color=style.colour, marker=style.marker, s=18, zorder=3, label=label
            )  # fmt: skip
            if fold["failed"]:
                last = history.iloc[-1]
                ax.scatter(last["epoch"], last["valid_loss"], color=style.colour, marker="x", s=30, zorder=3)
            fit = [run["setting"], run["model"], run["seed"], int(number)]
            rows += [[*fit, *(epoch[column] for column in HISTORY)] for epoch in fold["history"]]
    for ax, setting in zip(axes[0], settings, strict=True):
        if not any(row[0] == setting for row in rows):
            empty_panel(ax, setting_title(setting), theme)
            continue
        ax.set_title(setting_title(setting))
        ax.set_xlabel("epoch")
    axes[0][0].set_ylabel("inner-validation loss")
    if rows:
        figure.legend(loc="outside upper left", ncols=4, fontsize=8.5)
    data = pd.DataFrame(rows, columns=[*FOLD, *HISTORY])
    return FigureItem(figure, data, _finding(data, sum(len(folds) for folds in evidence.failed.values())))


def _finding(data: pd.DataFrame, n_failed: int) -> str:
    n_fits = len(data[FOLD].drop_duplicates())
    text = f"Validation loss of {n_fits} fits; the chosen epochs are marked."
    return text + (f" {n_failed} fits diverged." if n_failed else "")
