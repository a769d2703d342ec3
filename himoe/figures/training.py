"""Inner-validation loss (squared error of standardised targets plus half of 1 - CCC) of every fold while it trains; the dot
marks the epoch with the best validation CCC, which is the one used; a cross, where a fold diverged. Test subjects play no part
in it."""

import pandas as pd

from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import Drawn
from himoe.report.style import Paper, inks, nothing, panels
from himoe.report.titles import model_title, setting_title

TITLE = "Training on inner validation"
SECTION = "model"
NEEDS = ("runs",)
HISTORY = ("epoch", "loss", "valid_loss", "valid_ccc")


def draw(evidence: Evidence, paper: Paper) -> Drawn:
    """One panel per data set, one line per fold of every trained model."""
    settings = evidence.settings
    figure, axes = panels(1, len(settings), height=2.7)
    look, rows = inks(paper, evidence.models), []
    for run in (r for r in evidence.runs if r["model"] in look):
        ax = axes[0][settings.index(run["setting"])]
        ink = look[run["model"]]
        colour, weight = ink.colour, (1.4, 0.9) if run["model"] == STUDIED or len(look) < 5 else (0.8, 0.45)
        for fold, told in run["folds"].items():
            if not told["history"]:
                continue
            history = pd.DataFrame(told["history"])
            best = history[history["epoch"] == told["best_epoch"]]
            ax.plot(history["epoch"], history["valid_loss"], ink.dash, color=colour, lw=weight[0], alpha=weight[1])
            label = model_title(run["model"]) if not rows or all(r[1] != run["model"] for r in rows) else None
            if told["failed"]:
                ax.scatter(history["epoch"].iloc[-1], history["valid_loss"].iloc[-1], color=colour, marker="x", s=30, zorder=3)
            ax.scatter(
                *(best[c][: 0 if told["failed"] else None] for c in ("epoch", "valid_loss")),
                color=colour,
                marker=ink.marker,
                s=18,
                zorder=3,
                label=label,
            )
            rows += [(run["setting"], run["model"], run["seed"], int(fold), *(h[c] for c in HISTORY)) for h in told["history"]]
    for ax, setting in zip(axes[0], settings, strict=True):
        if not any(r[0] == setting for r in rows):
            nothing(ax, setting_title(setting), paper)
            continue
        ax.set_title(setting_title(setting))
        ax.set_xlabel("epoch")
    axes[0][0].set_ylabel("inner-validation loss")
    if rows:
        figure.legend(loc="outside upper left", ncols=4, fontsize=8.5)
    data = pd.DataFrame(rows, columns=["setting", "model", "seed", "fold", *HISTORY])
    n_fits = data.groupby(["setting", "model", "seed", "fold"]).ngroups if len(data) else 0
    n_failed = sum(len(folds) for folds in evidence.failed.values())
    told = f"Validation loss of {n_fits} fits; the chosen epochs are marked."
    return Drawn(figure, data, told + (f" {n_failed} fits diverged." if n_failed else ""))
