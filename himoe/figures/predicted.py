"""Hi-MoE's predictions against the labels, clean input, every test row of all folds that ended well (one point per trial;
per token where labels vary within it). The line is perfect agreement; points beside it show bias, a flat cloud no skill."""

import pandas as pd

from himoe.config.facts import dataset_info, is_open
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import Drawn
from himoe.report.style import Paper, nothing, panels, without_failed
from himoe.report.titles import dataset_of, setting_title
from himoe.stats.metrics import ccc

TITLE = "Predicted against reported"
SECTION = "comparison"
NEEDS = ("predictions", "runs")
REQUIRES = {"models": "himoe"}
MAX_POINTS = 4000
SHARED = ["setting", "target", "subject", "trial", "y_pred"]  # the file travels with the report: labels under a licence stay
COLUMNS = [*SHARED[:-1], "y_true", "y_pred"]


def draw(evidence: Evidence, paper: Paper) -> Drawn:
    """One panel per data set and target."""
    cells = [(d, t) for d in evidence.settings for t in evidence.targets_of(d)]
    n_cols = min(4, len(cells))
    figure, axes = panels(-(-len(cells) // n_cols), n_cols, height=2.1)
    own = evidence.predictions
    own = own[(own["model"] == STUDIED) & (own["condition"] == "clean")]
    flat, tables, told = [ax for row in axes for ax in row], [], []
    for ax, (setting, target) in zip(flat, cells, strict=False):
        part = own[(own["setting"] == setting) & (own["target"] == target)].dropna(subset="y_pred")  # NaN: its fold failed
        if part.empty:
            nothing(ax, f"{setting_title(setting)}\n{target}", paper)
            told.append(f"{setting_title(setting)} {target}: every fold failed")
            continue
        drawn = part.sample(min(MAX_POINTS, len(part)), random_state=0)
        low, high = dataset_info(dataset_of(setting)).target_range
        ax.plot([low, high], [low, high], color=paper.faint, lw=1.2)
        alpha = 0.7 if len(drawn) < 1000 else 0.15
        ax.scatter(drawn["y_true"], drawn["y_pred"], s=7, color=paper.accent, alpha=alpha, lw=0, rasterized=True)
        edge = 0.04 * (high - low)
        ax.set(xlim=(low - edge, high + edge), ylim=(low - edge, high + edge), xlabel="reported")
        ax.set_title(f"{setting_title(setting)}\n{target}")
        pooled = f"pooled CCC {ccc(part['y_true'].to_numpy(float), part['y_pred'].to_numpy(float)):.2f}"
        if lost := without_failed(evidence, setting):
            pooled = "no pooled CCC" + lost
            ax.text(0.03, 0.93, lost.strip(" ,"), transform=ax.transAxes, fontsize=6.5)
        told.append(f"{setting_title(setting)} {target}: {pooled}, {len(part)} rows")
        tables.append(drawn[COLUMNS if is_open(dataset_of(setting)) else SHARED])
    for ax in flat[len(cells) :]:
        ax.set_axis_off()
    for row in axes:
        row[0].set_ylabel("predicted")
    return Drawn(figure, pd.concat(tables or [pd.DataFrame(columns=COLUMNS)], ignore_index=True), ". ".join(told) + ".")
