"""CCC on clean input against what a model costs: seconds to fit one fold, tuning included (processor time; wall time on a GPU),
and parameters, both on a logarithmic axis. Points are means over people, seeds and targets, with 95% intervals over people and
seeds; up and to the left is better. References, which are told the clip or the person, are hollow. A model without parameters
stands at 1; one that always says the same has CCC 0 and is not drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from himoe import registry
from himoe.names import CLEAN, STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, label_beside, line_styles, panels
from himoe.report.text import number
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.intervals import interval
from himoe.stats.levels import levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "CCC against cost"
SECTION = "cost"
NEEDS = ("scores", "runs")
FLAT = 1e-9
AXES = {"seconds": "seconds to fit a fold", "n_parameters": "parameters"}
COLUMNS = ["setting", "model", "ccc", "low", "high", "seconds", "n_parameters", "n_people", "n_folds"]


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One row per data set, one panel per kind of cost, one point per model."""
    data = _points(evidence)
    settings = list(dict.fromkeys(data["setting"]))
    figure, axes = panels(max(len(settings), 1), len(AXES), height=3.1, least=3)
    for row, setting in zip(axes, settings, strict=False):
        here = _drawn(data, setting)
        for ax, (cost, label) in zip(row, AXES.items(), strict=True):
            _panel(ax, here, cost, theme)
            ax.set_xlabel(label)
            ax.set_ylabel("CCC, mean over people")
            ax.set_title(f"{setting_title(setting)}: {_in_short(here, cost)}", fontsize=8.5)
    sentences = [_sentence(setting, _drawn(data, setting)) for setting in settings]
    return FigureItem(figure, data, " ".join(sentences))


def _points(evidence: Evidence) -> pd.DataFrame:
    """One row per setting and model; NaN where a fold failed."""
    rows = []
    for setting in evidence.settings:
        models = [m for m in evidence.models if m in evidence.models_of(setting)]
        values = levels(pick(evidence.scores, setting=setting, condition=CLEAN, model=models))
        for model in (m for m in models if m in values):
            fits = [r for r in evidence.runs if r["setting"] == setting and r["model"] == model]
            found = map(float, interval(values[model]))
            rows.append([setting, model, *found, *_cost(fits), len(values[model]), sum(len(r["folds"]) for r in fits)])
    return pd.DataFrame(rows, columns=COLUMNS)


def _drawn(data: pd.DataFrame, setting: str) -> pd.DataFrame:
    """Models of a setting that have a score, and not always that of a constant."""
    here = pick(data, setting=setting).dropna(subset="ccc")
    return here[here["ccc"].abs() > FLAT]


def _cost(fits: list[dict[str, Any]]) -> tuple[float, int]:
    """Seconds of one fold, mean over all, and parameters of the largest."""
    folds = [fold for run in fits for fold in run["folds"].values()]
    seconds = sum(run["cpu_seconds" if run["device"] == "cpu" else "wall_seconds"] for run in fits)
    return seconds / max(len(folds), 1), max((fold["n_parameters"] for fold in folds), default=0)


def _panel(ax: Axes, here: pd.DataFrame, cost: str, theme: Theme) -> None:
    """Points of one setting with their intervals and names."""
    styles, places = (
        line_styles(theme, list(here["model"])),
        here.assign(x=here[cost].clip(lower=0.001 if cost == "seconds" else 1)),
    )
    ax.set_xscale("log")
    for row in places.itertuples():
        style = styles[row.model]
        face = theme.background if registry.is_reference(row.model) else style.colour
        reach = [[row.ccc - row.low], [row.high - row.ccc]]
        ax.errorbar(row.x, row.ccc, reach, color=style.colour, elinewidth=0.8, alpha=0.5)
        ax.plot(row.x, row.ccc, style.marker, color=style.colour, mfc=face, ms=6)
    decades = np.log10(places["x"])
    ax.set_xlim(10 ** np.floor(decades.min() - 0.1), 10 ** np.ceil(decades.max() + 0.1))  # so that ticks are named
    ax.set_ylim(here["low"].min() - 0.03, here["high"].max() + 0.03)
    named = [(row.x, row.ccc, model_title(row.model), styles[row.model].colour) for row in places.itertuples()]
    label_beside(ax, named, bold=model_title(STUDIED))


def _in_short(here: pd.DataFrame, cost: str) -> str:
    """What the best costs and what Hi-MoE costs."""
    if here.empty:
        return "every fold failed"
    best, studied = here.loc[here["ccc"].idxmax()], pick(here, model=STUDIED)
    unit, digits = ("\u00a0s", 1) if cost == "seconds" else ("", 0)
    text = f"best {model_title(best['model'])}, {_amount(best[cost], digits)}{unit}"
    if studied.empty or best["model"] == STUDIED:
        return text
    return f"{text}; {model_title(STUDIED)} {_amount(studied[cost].iloc[0], digits)}{unit}"


def _amount(value: float, digits: int) -> str:
    return f"{value:,.0f}" if not digits or value >= 100 else number(value, digits if value >= 1 else 2)


def _sentence(setting: str, here: pd.DataFrame) -> str:
    """The best model with its CCC and costs, and Hi-MoE beside it."""
    if here.empty:
        return f"{setting_title(setting)}: every fold failed."
    shown = [here.loc[here["ccc"].idxmax()]]
    shown += [row for _, row in pick(here, model=STUDIED).iterrows() if row["model"] != shown[0]["model"]]
    costs = [
        f"{model_title(row['model'])} CCC {number(row['ccc'], 2)}, {_amount(row['seconds'], 1)} s a fold, "
        f"{row['n_parameters']:,} parameters"
        for row in shown
    ]
    return f"{setting_title(setting)} ({here['n_people'].max()} people), highest: {'; '.join(costs)}."
