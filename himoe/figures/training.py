"""Inner-validation loss (squared error of standardised targets plus half of 1 - CCC) of every fold while it trains, one panel a
network; the dot marks the epoch with the best validation CCC, which is the one used; a cross, where a fold diverged. Test
subjects play no part in it. Where the best epoch is the last one allowed, longer training might have found a better one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import LineStyle, Theme, empty_panel, line_styles, panels, small_multiples, title_small, wrapped
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Training on inner validation"
SECTION = "appendix"
NEEDS = ("runs",)
FOLD = ["setting", "model", "seed", "fold"]
HISTORY = ["epoch", "loss", "valid_loss", "valid_ccc"]
COLUMNS = [*FOLD, *HISTORY, "chosen", "failed"]


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One block per data set, one panel per network, one line per fold and seed."""
    data, styles = _histories(evidence), line_styles(theme, evidence.models)
    networks = {s: [m for m in evidence.models if m in set(pick(data, setting=s)["model"])] for s in evidence.settings}
    trained = {s: names for s, names in networks.items() if names}
    if not trained:
        figure, [row] = panels(1, len(evidence.settings), height=2.7)
        for empty, setting in zip(row, evidence.settings, strict=True):
            empty_panel(empty, setting_title(setting), theme)
        return FigureItem(figure, data, "No network was trained.")
    figure, blocks = small_multiples([len(names) for names in trained.values()])
    sentences = [_sentence(evidence, setting, pick(data, setting=setting)) for setting in trained]
    for (block, axes), (setting, names), sentence in zip(blocks, trained.items(), sentences, strict=True):
        for ax, model in zip(axes, names, strict=True):
            _folds(ax, pick(data, setting=setting, model=model), styles[model])
            title_small(ax, model_title(model), weight="bold" if model == STUDIED else "normal")
        block.suptitle(wrapped(sentence), x=0.01, ha="left", fontsize=9)
        block.supylabel("validation loss", fontsize=8.5)
    blocks[-1][0].supxlabel("epoch", fontsize=8.5)
    return FigureItem(figure, data, " ".join(sentences))


def _folds(ax: Axes, part: pd.DataFrame, style: LineStyle) -> None:
    """A line per fold and seed of one network, with what was chosen."""
    for _, fold in part.groupby(["seed", "fold"]):
        ax.plot(fold["epoch"], fold["valid_loss"], color=style.colour, lw=1, alpha=0.7)
        dot = fold[fold["chosen"]]
        ax.plot(dot["epoch"], dot["valid_loss"], "o", color=style.colour, ms=3.5)
        if fold["failed"].any():
            ax.plot(fold["epoch"].iloc[-1], fold["valid_loss"].iloc[-1], "x", color=style.colour, ms=6)
    ax.tick_params(labelsize=8)


def _histories(evidence: Evidence) -> pd.DataFrame:
    """One row per epoch of every fold that was trained."""
    rows: list[list[Any]] = []
    for run in (r for r in evidence.runs if r["model"] in evidence.models):
        for number, fold in run["folds"].items():
            for epoch in fold["history"]:
                chosen = not fold["failed"] and epoch["epoch"] == fold["best_epoch"]
                fit = [run["setting"], run["model"], run["seed"], int(number)]
                rows.append([*fit, *(epoch[column] for column in HISTORY), chosen, bool(fold["failed"])])
    return pd.DataFrame(rows, columns=COLUMNS)


def _sentence(evidence: Evidence, setting: str, data: pd.DataFrame) -> str:
    """How many fits there are, and how many diverged or were stopped by the number of epochs while they still got better."""
    fits = data.groupby(["model", "seed", "fold"])
    last = int((fits["chosen"].last() & (fits.size() == evidence.config.training.epochs)).sum())
    n_failed = int(fits["failed"].any().sum())
    text = (
        f"{setting_title(setting)}: {fits.ngroups} fits; best at the last of {evidence.config.training.epochs} epochs: {last}"
    )
    return text + (f"; diverged: {n_failed}." if n_failed else "; none diverged.")
