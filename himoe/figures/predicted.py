"""Hi-MoE's predictions against the labels, clean input, every test row of all folds that ended well (one point per trial;
per token where labels vary within it). The line is perfect agreement; points beside it show bias, a flat cloud no skill."""

import pandas as pd

from himoe.config.facts import dataset_info, is_open
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, empty_panel, panels
from himoe.report.titles import dataset_of, failed_folds, setting_title
from himoe.stats.frames import pick
from himoe.stats.metrics import ccc

TITLE = "Predicted against reported"
SECTION = "model"
NEEDS = ("predictions", "runs")
REQUIRES = {"models": "himoe"}
MAX_POINTS = 4000
SHARED = ["setting", "target", "subject", "trial", "y_pred"]  # the CSV travels with the report: labels under a licence stay out
COLUMNS = [*SHARED[:-1], "y_true", "y_pred"]


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One panel per data set and target."""
    cells = [(s, t) for s in evidence.settings for t in evidence.targets_of(s)]
    n_cols = min(4, len(cells))
    figure, axes = panels(-(-len(cells) // n_cols), n_cols, height=2.4, least=1.7)
    predictions = pick(evidence.predictions, model=STUDIED, condition="clean")
    flat = [ax for row in axes for ax in row]
    parts, findings = [], []
    for ax, (setting, target) in zip(flat, cells, strict=False):
        rows = pick(predictions, setting=setting, target=target).dropna(subset="y_pred")  # NaN: its fold failed
        if rows.empty:
            empty_panel(ax, f"{setting_title(setting)}\n{target}", theme)
            findings.append(f"{setting_title(setting)} {target}: every fold failed")
            continue
        shown = rows.sample(min(MAX_POINTS, len(rows)), random_state=0)
        low, high = dataset_info(dataset_of(setting)).target_range
        ax.plot([low, high], [low, high], color=theme.line, lw=1.2)
        alpha = 0.7 if len(shown) < 1000 else 0.15
        ax.scatter(shown["y_true"], shown["y_pred"], s=7, color=theme.accent, alpha=alpha, lw=0, rasterized=True)
        edge = 0.04 * (high - low)
        ax.set(xlim=(low - edge, high + edge), ylim=(low - edge, high + edge), xlabel="reported", box_aspect=1)
        pooled = f"pooled CCC {ccc(rows['y_true'].to_numpy(float), rows['y_pred'].to_numpy(float)):.2f}"
        if lost := failed_folds(evidence, setting):
            pooled = "no pooled CCC" + lost
        ax.set_title(f"{setting_title(setting)} · {target}\n{pooled}, n\u00a0=\u00a0{len(rows)}", fontsize=8)
        findings.append(f"{setting_title(setting)} {target}: {pooled}, {len(rows)} rows")
        parts.append(shown[COLUMNS if is_open(dataset_of(setting)) else SHARED])
    for ax in flat[len(cells) :]:
        ax.set_axis_off()
    for row in axes:
        row[0].set_ylabel("predicted")
    data = pd.concat(parts or [pd.DataFrame(columns=COLUMNS)], ignore_index=True)
    return FigureItem(figure, data, ". ".join(findings) + ".")
