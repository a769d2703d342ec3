"""CCC of every subject under every model, clean input (targets and seeds averaged); a line joins one subject across models,
the bar is the mean. It shows what the interval of a mean hides: whether a gain is everyone's or a few people's. References,
which are told the clip or the person, stand at the right, hollow. Lines across are ceilings, made of the test people's labels:
dashed the mean of the other raters of the same clip, dotted a person's own ratings at the level of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from himoe import registry
from himoe.evaluate.score import per_subject
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import LineStyle, Theme, legend_above, line_styles, panels
from himoe.report.text import FAILED
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
    figure, axes = panels(1, len(evidence.settings), height=2.9, sharey=True)
    scores = pick(per_subject(evidence.all_scores, "ccc"), condition="clean", model=[*evidence.models, *LINES])
    styles = line_styles(theme, evidence.models)
    parts, findings = [], []
    for ax, setting in zip(axes[0], evidence.settings, strict=True):
        models = [m for m in evidence.models if m in evidence.models_of(setting)]
        models.sort(key=registry.is_reference)  # to the right
        means = mean_of(pick(scores, setting=setting), ["subject", "model"])
        wide = means.pivot(index="subject", columns="model", values="value")
        ceilings = [c for c in LINES if c in wide]
        wide = wide[[*models, *ceilings]]
        for _, values in wide[models].iterrows():
            ax.plot(range(len(models)), values, color=theme.line, lw=0.8, zorder=1)
        for i, model in enumerate(models):
            _points(ax, i, wide[model], styles[model], theme)
        for name in ceilings:
            ax.axhline(wide[name].mean(), color=theme.text, lw=1, ls=LINES[name], zorder=1, label=model_title(name))
        ax.set_xlim(-0.5, len(models) - 0.5)
        labels, slant = [model_title(m) for m in models], 25 if len(models) < 8 else 60
        ax.set_xticks(range(len(models)), labels, rotation=slant, ha="right", rotation_mode="anchor")
        ax.set_title(f"{setting_title(setting)} · {len(wide)} subjects")
        parts.append(wide.reset_index().melt(id_vars="subject", value_name="ccc").assign(setting=setting))
        findings.append(f"{setting_title(setting)}: " + ", ".join(f"{model_title(m)} {_mean(wide[m])}" for m in wide))
    axes[0][0].set_ylabel("CCC")
    legend_above(figure, axes[0][0])
    data = pd.concat(parts, ignore_index=True)
    return FigureItem(figure, data, "Mean CCC over subjects. " + ". ".join(findings) + ".")


def _points(ax: Axes, place: int, values: pd.Series, style: LineStyle, theme: Theme) -> None:
    """One model's subjects and their mean; hollow where the model is a reference."""
    hollow = registry.is_reference(str(values.name))
    face = theme.background if hollow else style.colour
    ax.scatter(
        [place] * len(values), values, s=16, color=face, marker=style.marker, zorder=2, alpha=0.85, edgecolors=style.colour,
        lw=0.8 * hollow,
    )  # fmt: skip
    if values.isna().any():
        ax.text(place, 0.5, FAILED, transform=ax.get_xaxis_transform(), rotation=90, ha="center", va="center")
    ax.hlines(values.mean(skipna=False), place - 0.3, place + 0.3, color=theme.text, lw=2, zorder=3)


def _mean(values: pd.Series) -> str:
    return "failed" if values.isna().any() else f"{values.mean():.2f}"
