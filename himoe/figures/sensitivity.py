"""How much Hi-MoE depends on its sizes and on how it is trained: CCC on clean input with one number changed at a time
(config/sensitivity.yaml: ablations and training regimes that change one), everything else as in the run. Targets averaged; bars
are 95% intervals over people and seeds. Hollow, and bold on the axis: the value of this run, the same fit in every panel (where
values are tuned, the one that the search begins with). Intervals of two points overlap even where people differ alike under
both; the differences, paired over people, are in the CSV and in the sentence below, but for runs of too few seeds, in which the
luck of training is in no interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from himoe import registry
from himoe.config.run import Config
from himoe.names import STUDIED, model_variant
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, legend_above, panels
from himoe.report.text import interval as text_of
from himoe.report.titles import setting_title
from himoe.stats.frames import pick
from himoe.stats.intervals import interval
from himoe.stats.levels import CLEAN, levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Hi-MoE with other sizes"
SECTION = "model"
NEEDS = ("scores",)
REQUIRES = {"models": "himoe", "ablations": "*"}
N_COLS = 4
COLUMNS = [
    "setting", "key", "value", "model", "is_shipped", "ccc", "low", "high", "change", "change_low", "change_high", "n_subjects",
]  # fmt: skip


class Arm(NamedTuple):
    """A model that has another value of one setting."""

    model: str
    key: str
    value: float


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One panel per setting that is changed, a colour per data set."""
    data = _points(evidence)
    keys = list(dict.fromkeys(data["key"]))
    n_cols = max(min(N_COLS, len(keys)), 1)
    figure, axes = panels(max(-(-len(keys) // n_cols), 1), n_cols, height=1.9, sharey=True)
    flat = [ax for row in axes for ax in row]
    for ax, key in zip(flat, keys, strict=False):
        _panel(ax, pick(data, key=key), theme)
        ax.set_title(key.replace("training.", "").replace("_", " "))
    for ax in flat[len(keys) :]:
        ax.set_axis_off()
    for row in axes:
        row[0].set_ylabel("CCC")
    if data["setting"].nunique() > 1:
        legend_above(figure, flat[0])
    few = {s for s in evidence.judged if evidence.has_few_seeds(s)}
    return FigureItem(figure, data, _finding(data, few))


def arms_of(config: Config) -> list[Arm]:
    """Ablations and regimes of Hi-MoE that change one number, from that of the run, and nothing else."""
    changed = [(name, "", options) for name, options in config.ablations.items()]
    for name, regime in config.regimes.items():
        if STUDIED in regime.models:
            changed.append((name, "training.", regime.model_dump(exclude={"models"}, exclude_none=True)))
    arms = []
    for name, section, options in changed:
        (key, value), *others = options.items()
        if not others and isinstance(value, int | float) and not isinstance(value, bool):
            arms.append(Arm(model_variant(STUDIED, name), section + key, value))
    return [arm for arm in arms if arm.value != shipped(config, arm.key)]


def shipped(config: Config, key: str) -> float:
    """The value that the run has."""
    section, _, name = key.rpartition(".")
    whole = config.training if section else registry.config_class(STUDIED)(**config.options(STUDIED))
    return getattr(whole, name)


def _points(evidence: Evidence) -> pd.DataFrame:
    """CCC of every value, that of the run among them, and its change from that one (paired); NaN where a fold failed."""
    arms, rows = arms_of(evidence.config), []
    for setting in evidence.judged:
        there = [arm for arm in arms if {STUDIED, arm.model} <= set(evidence.models_of(setting))]
        if not there:
            continue
        scores = pick(evidence.all_scores, setting=setting, condition=CLEAN, model=[STUDIED, *(arm.model for arm in there)])
        values = levels(scores)
        run = [Arm(STUDIED, key, shipped(evidence.config, key)) for key in dict.fromkeys(arm.key for arm in there)]
        for arm in [*there, *run]:
            here, change = interval(values[arm.model]), interval(values[arm.model] - values[STUDIED])
            found = (*map(float, here), *map(float, change), len(values[STUDIED]))
            rows.append([setting, arm.key, float(arm.value), arm.model, arm.model == STUDIED, *found])
    data = pd.DataFrame(rows, columns=COLUMNS)
    order = {key: i for i, key in enumerate(dict.fromkeys(arm.key for arm in arms))}
    return data.sort_values(["key", "value"], key=lambda c: c.map(order) if c.name == "key" else c, ignore_index=True)


def _panel(ax: Axes, part: pd.DataFrame, theme: Theme) -> None:
    """Values at equal distances, whatever they are."""
    values, settings = sorted(part["value"].unique()), list(dict.fromkeys(part["setting"]))
    for i, setting in enumerate(settings):
        line = pick(part, setting=setting)
        colour = theme.accent if len(settings) == 1 else theme.palette[i % len(theme.palette)]
        x = line["value"].map(values.index) + 0.14 * (i - (len(settings) - 1) / 2)
        ax.plot(x, line["ccc"], color=colour, lw=1.1, alpha=0.6)
        ax.vlines(x, line["low"], line["high"], color=colour, lw=1.4)
        ax.plot(x, line["ccc"], "o", ms=5, color=colour, label=setting_title(setting))
        of_run = line["is_shipped"]
        ax.plot(x[of_run], line["ccc"][of_run], "o", ms=6, color=colour, mfc=theme.background, mew=1.6)
    ax.set_xticks(range(len(values)), [f"{value:g}" for value in values])
    bold = set(part.loc[part["is_shipped"], "value"])
    for text, value in zip(ax.get_xticklabels(), values, strict=True):
        text.set_fontweight("bold" if value in bold else "normal")
    ax.set_xlim(-0.5, len(values) - 0.5)


def _finding(data: pd.DataFrame, few_seeds: set[str]) -> str:
    """Of each data set, how many other values are better or worse, which ``few_seeds`` cannot tell, and the largest change."""
    sentences = []
    for setting, part in data[~data["is_shipped"].astype(bool)].groupby("setting", sort=False):
        known = part[part["change"].notna()]
        better, worse = int((known["change_low"] > 0).sum()), int((known["change_high"] < 0).sum())
        sentence = f"of {len(part)} other values {better} better and {worse} worse than the run's (intervals, one at a time)"
        sentence = f"{len(part)} other values, of too few seeds to tell which are better" if setting in few_seeds else sentence
        sentence = f"{setting_title(str(setting))}: {sentence}"
        if len(known):
            most = known.loc[np.abs(known["change"]).idxmax()]
            change = text_of(most["change"], most["change_low"], most["change_high"])
            sentence += f"; the largest change is {change}, {most['key']} {most['value']:g}"
        failed = f"; {len(part) - len(known)} failed" if len(known) < len(part) else ""
        sentences.append(f"{sentence}{failed}.")
    return " ".join(sentences) or "No ablation or regime of this run changes one number of Hi-MoE and nothing else."
