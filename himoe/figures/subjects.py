"""CCC of every person, clean input, targets and seeds averaged: a slope from the best rival to Hi-MoE for each, in the colour
of the one that is ahead, then the points of all other models. It shows what the interval of a mean hides: whether a gain is
everyone's or a few people's. The best rival is picked by these same scores, so that its mean is a little too high. Bars are
means. References, which are told the clip or the person, stand at the right, hollow. Lines across are ceilings, made of the
test people's labels: dashed the mean of the other raters of the same clip, dotted a person's own ratings at the level of the
others."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import pandas as pd

from himoe import registry
from himoe.evaluate.score import per_subject
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, legend_above, panels
from himoe.report.text import FAILED, number
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.inference import mean_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "CCC of each subject"
SECTION = "comparison"
NEEDS = ("scores",)
LINES = {"leave_one_rater_out": "--", "rating_bias": ":"}  # ceilings that are drawn


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One panel per data set."""
    scores = pick(per_subject(evidence.all_scores, "ccc"), condition="clean", model=[*evidence.models, *LINES])
    n = len(evidence.settings)
    n_cols = min(2, n)
    figure, axes = panels(-(-n // n_cols), n_cols, height=2.9, sharey=True)
    flat = [ax for row in axes for ax in row]
    parts, findings = [], []
    for ax, setting in zip(flat, evidence.settings, strict=False):
        means = mean_of(pick(scores, setting=setting), ["subject", "model"])
        wide = means.pivot(index="subject", columns="model", values="value")
        models = _in_order(wide, [m for m in evidence.models if m in evidence.models_of(setting)])
        ceilings = [c for c in LINES if c in wide]
        wide = wide[[*models, *ceilings]]
        ahead = _against_best(wide[models])
        _panel(ax, wide, models, theme)
        for name in ceilings:
            ax.axhline(wide[name].mean(), color=theme.text, lw=1, ls=LINES[name], zorder=1, label=model_title(name))
        lines = (setting_title(setting), ahead or f"{len(wide)} people")
        ax.set_title("\n".join(fill(line, 46 if n_cols > 1 else 100) for line in lines), fontsize=8.5)
        parts.append(wide.reset_index().melt(id_vars="subject", value_name="ccc").assign(setting=setting))
        findings.append(f"{setting_title(setting)}: {ahead or 'no rival to hold Hi-MoE against'}")
    for ax in flat[n:]:
        ax.set_axis_off()
    for row in axes:
        row[0].set_ylabel("CCC")
    legend_above(figure, axes[0][0])
    return FigureItem(figure, pd.concat(parts, ignore_index=True), ". ".join(findings) + ".")


def _in_order(wide: pd.DataFrame, models: list[str]) -> list[str]:
    """The best rival and Hi-MoE, the others as they stand in the config, then references."""
    means = wide[models].mean(skipna=False)
    rivals = [m for m in models if m != STUDIED and not registry.is_reference(m) and means[m] == means[m]]
    pair = [max(rivals, key=lambda m: means[m]), STUDIED] if rivals and STUDIED in models else []
    return pair + sorted((m for m in models if m not in pair), key=registry.is_reference)


def _against_best(wide: pd.DataFrame) -> str:
    """For how many people Hi-MoE is ahead of the best rival, the first of the columns; empty where there is no pair."""
    if wide.shape[1] < 2 or wide.columns[1] != STUDIED or registry.is_reference(wide.columns[0]):
        return ""
    gap = wide[STUDIED] - wide.iloc[:, 0]
    if gap.isna().any():
        return ""
    ahead, rival = int((gap > 0).sum()), f"{model_title(wide.columns[0])} ({number(wide.iloc[:, 0].mean(), 2)})"
    return (
        f"Hi-MoE ({number(wide[STUDIED].mean(), 2)}) ahead of {rival} for {ahead} of {len(gap)} people ({ahead / len(gap):.0%})"
    )


def _panel(ax: Axes, wide: pd.DataFrame, models: list[str], theme: Theme) -> None:
    """Slopes of a pair with room between them, then the others, one place each."""
    pair = bool(_against_best(wide[models]))
    places = [0.0, 2.5, *(4.0 + i for i in range(len(models) - 2))] if pair else list(map(float, range(len(models))))
    if pair:
        for first, second in wide[models[:2]].to_numpy():
            colour = theme.accent if second > first else theme.palette[0]
            ax.plot(places[:2], [first, second], color=colour, lw=0.9, alpha=0.7, zorder=1)
    for i, (place, model) in enumerate(zip(places, models, strict=True)):
        colour = theme.accent if model == STUDIED else theme.palette[0] if pair and i == 0 else theme.palette[-1]
        _points(ax, place, wide[model], theme.text if registry.is_reference(model) else colour, theme)
    ax.set_xlim(places[0] - 0.6, places[-1] + 0.6)
    labels, slant = [model_title(m) for m in models], 25 if len(models) < 6 else 60
    ax.set_xticks(places, labels, rotation=slant, ha="right", rotation_mode="anchor", fontsize=8)
    ax.grid(axis="x", visible=False)


def _points(ax: Axes, place: float, values: pd.Series, colour: str, theme: Theme) -> None:
    """One model's subjects and their mean; hollow where the model is a reference."""
    hollow = registry.is_reference(str(values.name))
    face = theme.background if hollow else colour
    ax.scatter([place] * len(values), values, s=14, color=face, zorder=2, alpha=0.85, edgecolors=colour, lw=0.8 * hollow)
    if values.isna().any():
        ax.text(place, 0.5, FAILED, transform=ax.get_xaxis_transform(), rotation=90, ha="center", va="center")
    ax.hlines(values.mean(skipna=False), place - 0.3, place + 0.3, color=theme.text, lw=2, zorder=3)
