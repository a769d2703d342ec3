"""CCC on clean input against the number of people that a model learns from, those of inner validation among them, with the
same people to test on. Who is among few is among more, drawn once a fold, alike for all models. Targets averaged; bars are 95%
intervals over people and seeds. Rightmost: all people that the folds leave, as everywhere else in this report. A line that
still rises there says that more people would help. Where people share networks of too few seeds, the luck of training is in no
interval, and none tells of a rise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.config.protocols import n_subject_folds
from himoe.config.run import Config
from himoe.names import with_people
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, empty_panel, legend_above, line_styles, panels
from himoe.report.text import interval as text_of
from himoe.report.text import number
from himoe.report.titles import dataset_of, model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.intervals import interval
from himoe.stats.levels import CLEAN, levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "How many people does a model need to learn from?"
SECTION = "trust"
NEEDS = ("scores",)
REQUIRES = {"learning_curve": "*"}
COLUMNS = ["setting", "model", "people", "is_all", "ccc", "low", "high", "to_all", "to_all_low", "to_all_high", "n_subjects"]
APART = 0.025  # of a model's bars from the next one's, as a share of the number of people


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One panel per data set, one line per model."""
    data = _curves(evidence)
    settings = list(dict.fromkeys(data["setting"])) or evidence.settings[:1]
    n_cols = min(2, len(settings))
    figure, axes = panels(-(-len(settings) // n_cols), n_cols, height=3.0)
    flat = [ax for row in axes for ax in row]
    for ax, setting in zip(flat, settings, strict=False):
        part = pick(data, setting=setting)
        if part["ccc"].notna().any():
            _lines(ax, part, evidence.models, theme)
            ax.set_title(setting_title(setting))
        else:
            empty_panel(ax, setting_title(setting), theme)
    for ax in flat[len(settings) :]:
        ax.set_axis_off()
    for row in axes:
        row[0].set_ylabel("CCC, mean over subjects")
    legend_above(figure, flat[0])
    few = {s for s in settings if evidence.has_few_seeds(s)}
    return FigureItem(figure, data, _finding(data, few))


def _curves(evidence: Evidence) -> pd.DataFrame:
    """CCC by number of people, and what all people add to it (``to_all``, paired); NaN where a fold failed."""
    curve, rows = evidence.config.learning_curve, []
    for setting in evidence.settings:
        fitted = evidence.models_of(setting)
        for model in curve.models:
            arms = {n: arm for n in sorted(curve.people) if (arm := with_people(model, n)) in fitted}
            if model not in fitted or not arms:
                continue
            scores = pick(evidence.all_scores, setting=setting, condition=CLEAN, model=[model, *arms.values()])
            values = levels(scores)
            whole = people_left(evidence.config, dataset_of(setting), evidence.protocol_of(setting))
            for n, name in [*arms.items(), (whole, model)]:
                here, gain = interval(values[name]), interval(values[model] - values[name])
                rows.append([setting, model, n, name == model, *map(float, (*here, *gain)), len(values[name])])
    return pd.DataFrame(rows, columns=COLUMNS)


def people_left(config: Config, dataset: str, protocol: str) -> float:
    """How many people a fold leaves to learn from, on average over folds."""
    n = len(config.size(dataset).subjects)
    return n - n / n_subject_folds(protocol, n, config.splits)


def _lines(ax: Axes, part: pd.DataFrame, models: list[str], theme: Theme) -> None:
    """A line a model, its bars beside those of the others; the point of all people is hollow."""
    styles, there = line_styles(theme, models), list(dict.fromkeys(part["model"]))
    for i, model in enumerate(there):
        line, style = pick(part, model=model), styles[model]
        x = line["people"] * (1 + APART * (i - (len(there) - 1) / 2))
        ax.plot(x, line["ccc"], style.dash, color=style.colour, lw=style.width, label=model_title(model))
        ax.vlines(x, line["low"], line["high"], color=style.colour, lw=1.1)
        for shown, fill in ((~line["is_all"], style.colour), (line["is_all"], theme.background)):
            ax.plot(x[shown], line["ccc"][shown], style.marker, ms=5, color=style.colour, mfc=fill)
    ax.set_xscale("log")
    ticks = part.drop_duplicates(["people", "is_all"]).sort_values("people")
    names = [f"all ({r.people:g})" if r.is_all else f"{r.people:g}" for r in ticks.itertuples()]
    ax.set_xticks(ticks["people"], names)
    ax.minorticks_off()
    ax.set_xlabel("people learnt from")
    ax.axhline(0, color=theme.text, lw=0.8)


def _finding(data: pd.DataFrame, few_seeds: set[str]) -> str:
    """Of each data set and model: CCC with the fewest and with all people, and what the last people add, which ``few_seeds`` of
    networks that people share cannot tell."""
    sentences = []
    for (setting, model), line in data.groupby(["setting", "model"], sort=False):
        few, last, whole = line.iloc[0], line.iloc[-2], line.iloc[-1]
        if not np.isfinite(line["ccc"]).all():
            sentences.append(f"{setting_title(setting)}, {model_title(model)}: a fold failed.")
            continue
        gain = text_of(last["to_all"], last["to_all_low"], last["to_all_high"])
        rises = "still rises" if last["to_all_low"] > 0 else "falls" if last["to_all_high"] < 0 else "no rise shown"
        rises = "of too few seeds to tell" if setting in few_seeds else rises
        sentences.append(
            f"{setting_title(setting)}, {model_title(model)}: CCC {number(few['ccc'], 2)} with {few['people']:g} people, "
            f"{number(whole['ccc'], 2)} with all {whole['people']:g}; from {last['people']:g} to all {gain}, {rises}."
        )
    return " ".join(sentences) or "No model was fitted on fewer people."
