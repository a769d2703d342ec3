"""CCC of every subject under every model, clean input (targets and seeds averaged); a line joins one subject across models,
the bar is the mean. What the interval of a mean hides, this shows: whether a gain is everyone's or a few people's."""

import pandas as pd

from himoe.evaluate.score import per_subject
from himoe.report.evidence import Evidence
from himoe.report.items import Drawn
from himoe.report.style import Paper, inks, panels
from himoe.report.titles import model_title, setting_title
from himoe.stats.inference import mean_of

TITLE = "CCC of each subject"
SECTION = "comparison"
NEEDS = ("scores",)


def draw(evidence: Evidence, paper: Paper) -> Drawn:
    """One panel per data set."""
    settings = evidence.settings
    figure, axes = panels(1, len(settings), height=2.9, sharey=True)
    own = per_subject(evidence.scores, "ccc")
    own = own[own["condition"] == "clean"]
    look, tables, told = inks(paper, evidence.models), [], []
    for ax, setting in zip(axes[0], settings, strict=True):
        models = [m for m in evidence.models if m in evidence.models_of(setting)]
        means = mean_of(own[own["setting"] == setting], ["subject", "model"])
        wide = means.pivot(index="subject", columns="model", values="value")[models]
        for _, values in wide.iterrows():
            ax.plot(range(len(models)), values, color=paper.faint, lw=0.8, zorder=1)
        for i, model in enumerate(models):
            ink = look[model]
            ax.scatter([i] * len(wide), wide[model], s=16, color=ink.colour, marker=ink.marker, zorder=2, alpha=0.85, lw=0)
            if wide[model].isna().any():
                ax.text(i, 0.5, "failed: diverged", transform=ax.get_xaxis_transform(), rotation=90, ha="center", va="center")
            ax.hlines(wide[model].mean(skipna=False), i - 0.3, i + 0.3, color=paper.ink, lw=2, zorder=3)
        ax.set_xlim(-0.5, len(models) - 0.5)
        ax.set_xticks(
            range(len(models)),
            [model_title(m) for m in models],
            rotation=25 if len(models) < 8 else 60,
            ha="right",
            rotation_mode="anchor",
        )
        ax.set_title(f"{setting_title(setting)} · {len(wide)} subjects")
        tables.append(wide.reset_index().melt(id_vars="subject", value_name="ccc").assign(setting=setting))
        told.append(f"{setting_title(setting)}: " + ", ".join(f"{model_title(m)} {_mean(wide[m])}" for m in models))
    axes[0][0].set_ylabel("CCC")
    return Drawn(figure, pd.concat(tables, ignore_index=True), "Mean CCC over subjects. " + ". ".join(told) + ".")


def _mean(values: pd.Series) -> str:
    return "failed" if values.isna().any() else f"{values.mean():.2f}"
