"""With k rated trials of the new person: a question of its own, by which no claim is judged, for it uses ratings of the person
who is tested. The person's own offset and, from two trials on, a scale beside it are worked out from k trials and put on
each model's predictions; nothing is fitted again. Every k is scored on the same trials, those outside the largest k; which
trials are rated is drawn once, alike for all models. Offset and scale are drawn towards none, by how much other people's
ratings differ. An offset lifts a model that reads no signal too: only what is left above such a model is owed to signals. A
constant has CCC 0 whatever its offset, so the error (RMSE, in units of the rating) is shown beside it. Targets averaged; the
band is Hi-MoE's 95% interval over people and seeds."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.config.protocols import PROTOCOLS
from himoe.evaluate.few_shot import CORRECTIONS, OFFSET, SCALED, few_shot
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, empty_panel, legend_above, line_styles, panels
from himoe.report.text import interval as text_of
from himoe.report.text import number
from himoe.report.titles import few_seeds, model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.inference import mean_of
from himoe.stats.intervals import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "With some rated trials of the new person"
SECTION = "comparison"
NEEDS = ("predictions", "splits")
REQUIRES = {"few_shot": "*"}
PANELS = (("ccc", OFFSET), ("ccc", SCALED), ("rmse", OFFSET))
NAMES = {"ccc": "CCC", "rmse": "RMSE"}
COLUMNS = [
    "setting", "model", "correction", "metric", "k", "value", "low", "high", "change", "change_low", "change_high",
    "n_subjects",
]  # fmt: skip


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One row of panels per data set: CCC with an offset, with a scale beside it, error with an offset."""
    data, left_out = _curves(evidence)
    settings = list(dict.fromkeys(data["setting"])) or evidence.settings[:1]
    figure, axes = panels(len(settings), len(PANELS), height=2.7)
    for row, setting in zip(axes, settings, strict=True):
        row[1].sharey(row[0])
        for ax, (metric, correction) in zip(row, PANELS, strict=True):
            part = pick(data, setting=setting, metric=metric, correction=correction)
            title = f"{NAMES[metric]}, {correction}"
            if part["value"].notna().any():
                _lines(ax, part, evidence.models, theme)
                ax.set_title(title)
            else:
                empty_panel(ax, title, theme)
        row[0].set_ylabel(fill(setting_title(setting), 30))
    legend_above(figure, axes[0][0])
    return FigureItem(figure, data, _finding(data, left_out, evidence))


def _curves(evidence: Evidence) -> tuple[pd.DataFrame, list[str]]:
    """Means and intervals by model, correction, metric and k, with their change from k = 0 (paired); and settings in which
    nobody has enough trials."""
    rows, left_out = [], []
    for setting in evidence.settings:
        if not PROTOCOLS[evidence.protocol_of(setting)].independent:
            continue
        predictions = pick(evidence.predictions, setting=setting, model=evidence.models)
        scores = few_shot(predictions, evidence.folds[setting], evidence.config.few_shot, evidence.config.condition_seed)
        if scores.empty:
            left_out.append(setting)
        for (model, correction, metric), part in scores.groupby(["model", "correction", "metric"], sort=False):
            values = _by_k(part)
            for k, of_k in values.items():
                here, change = interval(of_k), interval(of_k - values[0])
                rows.append([setting, model, correction, metric, k, *map(float, (*here, *change)), len(of_k)])
    data = pd.DataFrame(rows, columns=COLUMNS)
    order = {name: i for i, name in enumerate([*evidence.models, *CORRECTIONS, *NAMES])}
    ranked = data.assign(**{name: data[name].map(order) for name in ("model", "correction", "metric")})
    return data.loc[ranked.sort_values(COLUMNS[:5], kind="stable").index].reset_index(drop=True), left_out


def _by_k(part: pd.DataFrame) -> dict[int, np.ndarray]:
    """k -> values (n_people, n_seeds), targets averaged."""
    means = mean_of(part, ["k", "subject", "seed"])
    wide = means.pivot(index="subject", columns=["k", "seed"], values="value")
    return {int(k): wide[k].to_numpy(float) for k in sorted(part["k"].unique())}


def _lines(ax: Axes, part: pd.DataFrame, models: list[str], theme: Theme) -> None:
    """A line a model over k."""
    styles, place = line_styles(theme, models), {k: i for i, k in enumerate(sorted(part["k"].unique()))}
    for model in dict.fromkeys(part["model"]):
        line, style = pick(part, model=model), styles[model]
        x = line["k"].map(place)
        ax.plot(
            x,
            line["value"],
            style.dash,
            color=style.colour,
            marker=style.marker,
            ms=4,
            lw=style.width,
            label=model_title(model),
        )
        if model == STUDIED:
            ax.fill_between(x, line["low"], line["high"], color=style.colour, alpha=0.15, lw=0)
    ax.set_xticks(list(place.values()), [f"{k}" for k in place])
    ax.set_xlabel("rated trials k")


def _finding(data: pd.DataFrame, left_out: list[str], evidence: Evidence) -> str:
    """Of each data set: what the largest k gives Hi-MoE and the best other model in CCC, by offset and by scale, and how much
    smaller each model's error becomes, those among them that read no signal."""
    sentences = []
    for setting, part in data.groupby("setting", sort=False):
        most = part[part["k"] == part["k"].max()].set_index(["metric", "correction", "model"])
        k, models = int(part["k"].max()), list(dict.fromkeys(part["model"]))
        gains = [f"{model_title(m)} {_gains(most, m)}" for m in models if m == STUDIED or m == _best(most, models)]
        errors = [f"{model_title(m)} {_share(most.loc[('rmse', OFFSET, m)])}" for m in models]
        sentences.append(
            f"{setting_title(str(setting))}, {k} rated trials, {part['n_subjects'].iloc[0]} people, CCC on the other trials: "
            f"{'; '.join(gains)}{few_seeds(evidence, str(setting))}. "
            f"RMSE by an offset: {', '.join(errors)}."
        )
    sentences += [f"{setting_title(s)}: too few trials a person and fold." for s in left_out]
    return " ".join(sentences)


def _best(most: pd.DataFrame, models: list[str]) -> str:
    """The model, Hi-MoE left out, with the highest CCC with an offset; empty where there is none."""
    others = {m: most.loc[("ccc", OFFSET, m), "value"] for m in models if m != STUDIED}
    known = {m: value for m, value in others.items() if np.isfinite(value)}
    return max(known, key=known.__getitem__) if known else ""


def _gains(most: pd.DataFrame, model: str) -> str:
    """CCC at k = 0 and what offset and scale change."""
    offset, scaled = (most.loc[("ccc", correction, model)] for correction in CORRECTIONS)
    if not np.isfinite(offset["value"]):
        return "failed"
    change = text_of(offset["change"], offset["change_low"], offset["change_high"])
    both = text_of(scaled["change"], scaled["change_low"], scaled["change_high"])
    return f"{number(offset['value'] - offset['change'], 2)} at k = 0, {change} by an offset, {both} with a scale beside it"


def _share(row: pd.Series) -> str:
    """By how much of itself an error falls or rises."""
    before = row["value"] - row["change"]
    return f"{row['change'] / before:+.0%}".replace("-", "−") if np.isfinite(before) and before > 0 else "failed"
