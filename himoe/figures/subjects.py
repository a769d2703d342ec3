"""CCC of every subject under every model, clean input (targets and seeds averaged); a line joins one subject across models,
the bar is the mean. It shows what the interval of a mean hides: whether a gain is everyone's or a few people's."""

import pandas as pd

from himoe.evaluate.score import per_subject
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, line_styles, panels
from himoe.report.text import FAILED
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.inference import mean_of

TITLE = "CCC of each subject"
SECTION = "comparison"
NEEDS = ("scores",)


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One panel per data set."""
    figure, axes = panels(1, len(evidence.settings), height=2.9, sharey=True)
    scores = pick(per_subject(evidence.scores, "ccc"), condition="clean")
    styles = line_styles(theme, evidence.models)
    parts, findings = [], []
    for ax, setting in zip(axes[0], evidence.settings, strict=True):
        models = [m for m in evidence.models if m in evidence.models_of(setting)]
        means = mean_of(pick(scores, setting=setting), ["subject", "model"])
        wide = means.pivot(index="subject", columns="model", values="value")[models]
        for _, values in wide.iterrows():
            ax.plot(range(len(models)), values, color=theme.line, lw=0.8, zorder=1)
        for i, model in enumerate(models):
            style = styles[model]
            ax.scatter([i] * len(wide), wide[model], s=16, color=style.colour, marker=style.marker, zorder=2, alpha=0.85, lw=0)
            if wide[model].isna().any():
                ax.text(i, 0.5, FAILED, transform=ax.get_xaxis_transform(), rotation=90, ha="center", va="center")
            ax.hlines(wide[model].mean(skipna=False), i - 0.3, i + 0.3, color=theme.text, lw=2, zorder=3)
        ax.set_xlim(-0.5, len(models) - 0.5)
        labels, slant = [model_title(m) for m in models], 25 if len(models) < 8 else 60
        ax.set_xticks(range(len(models)), labels, rotation=slant, ha="right", rotation_mode="anchor")
        ax.set_title(f"{setting_title(setting)} · {len(wide)} subjects")
        parts.append(wide.reset_index().melt(id_vars="subject", value_name="ccc").assign(setting=setting))
        findings.append(f"{setting_title(setting)}: " + ", ".join(f"{model_title(m)} {_mean(wide[m])}" for m in models))
    axes[0][0].set_ylabel("CCC")
    data = pd.concat(parts, ignore_index=True)
    return FigureItem(figure, data, "Mean CCC over subjects. " + ". ".join(findings) + ".")


def _mean(values: pd.Series) -> str:
    return "failed" if values.isna().any() else f"{values.mean():.2f}"
