"""Score against severity: what missing_curve and shift_curve share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from himoe import registry
from himoe.evaluate.score import per_subject
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import Drawn
from himoe.report.style import Paper, inks, legend_above, panels
from himoe.report.titles import model_title, setting_title
from himoe.stats.inference import ALPHA, bootstrap_mean


def curve_data(evidence: Evidence, condition: str, metric: str = "ccc") -> pd.DataFrame:
    """Mean over subjects with a bootstrap interval at every severity, per data set, target and model."""
    own = per_subject(evidence.scores, metric)
    own, settings = own[own["condition"] == condition], evidence.config.statistics
    rows = []
    for key, part in own.groupby(["setting", "target", "model", "severity"], sort=True):
        values = part["value"].to_numpy()
        low, high = bootstrap_mean(values, settings.n_bootstrap, ALPHA, settings.seed)
        rows.append((*key, values.mean(), low, high, len(values)))  # NaN where a fold failed: no line
    return pd.DataFrame(rows, columns=["setting", "target", "model", "severity", metric, "low", "high", "n_subjects"])


def draw_curve(evidence: Evidence, paper: Paper, condition: str) -> Drawn:
    """One panel per data set and target, one line per model, a band for Hi-MoE's interval."""
    data, peeked = curve_data(evidence, condition), registry.peek("conditions", condition)
    cells = [(d, t) for d in evidence.perturbed(condition) for t in evidence.targets_of(d)]
    n_cols = 2 if len(cells) > 1 else 1
    figure, axes = panels(-(-len(cells) // n_cols), n_cols, sharex=True)
    failed = set(data.loc[data["ccc"].isna(), "model"])
    flat, look = [ax for row in axes for ax in row], inks(paper, evidence.models)
    for ax, (setting, target) in zip(flat, cells, strict=False):
        for model in evidence.models:
            part = data[(data["setting"] == setting) & (data["target"] == target) & (data["model"] == model)]
            ink = look[model]
            label = model_title(model) + (" (failed)" if model in failed else "")
            ax.plot(
                part["severity"], part["ccc"], ink.dash, color=ink.colour, marker=ink.marker, ms=4, lw=ink.width, label=label
            )
            if model == STUDIED:
                ax.fill_between(part["severity"], part["low"], part["high"], color=ink.colour, alpha=0.15, lw=0)
        ax.set_title(f"{setting_title(setting)} · {target}")
        ax.set_ylim(min(0, data["ccc"].min()) - 0.05, max(0.3, data["high"].max()) + 0.03)
    for ax in flat[len(cells) :]:
        ax.set_axis_off()
    for ax in flat[max(0, len(cells) - n_cols) : len(cells)]:
        ax.set_xlabel(f"{peeked['TITLE']} ({peeked['UNIT']})")
    for row in axes:
        row[0].set_ylabel("CCC, mean over subjects")
    legend_above(figure, flat[0])
    return Drawn(figure, data, _finding(data, peeked["TITLE"]))


def _finding(data: pd.DataFrame, title: str) -> str:
    """How much each model loses from the mildest to the strongest severity, averaged over data sets and targets."""
    told = []
    for model, part in data.groupby("model", sort=False):
        ends = part.groupby("severity")["ccc"].mean()
        lost = part["ccc"].isna().any()
        told.append(f"{model_title(model)} " + ("failed" if lost else f"from {ends.iloc[0]:.2f} to {ends.iloc[-1]:.2f}"))
    top = np.max(data["severity"]) if len(data) else 0
    return f"Mean CCC as the {title} rises to {top:g}: {', '.join(told)}."
