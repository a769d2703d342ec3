"""CCC of every model against the severity. Lines are means over people and seeds; the band is Hi-MoE's 95%
interval over both. All models meet the same perturbed input."""

import pandas as pd

from himoe import registry
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, legend_above, line_styles, panels
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.intervals import interval
from himoe.stats.levels import levels

TITLE = "CCC against severity"
SECTION = "robustness"
NEEDS = ("scores",)
REQUIRES = {"conditions": "*"}
PER = "conditions"
COLUMNS = ["setting", "target", "model", "severity", "ccc", "low", "high", "n_subjects"]


def draw(evidence: Evidence, theme: Theme, condition: str) -> FigureItem:
    """One panel per data set and target, one line per model, a band for Hi-MoE's interval."""
    data, words = _means(evidence, condition), registry.peek("conditions", condition)
    cells = [(s, t) for s in evidence.perturbed(condition) for t in evidence.targets_of(s)]
    n_cols = min(2, len(cells))
    figure, axes = panels(-(-len(cells) // n_cols), n_cols, sharex=True)
    failed = set(data.loc[data["ccc"].isna(), "model"])
    styles = line_styles(theme, evidence.models)
    flat = [ax for row in axes for ax in row]
    for ax, (setting, target) in zip(flat, cells, strict=False):
        for model in evidence.models:
            line, style = pick(data, setting=setting, target=target, model=model), styles[model]
            label = model_title(model) + (" (failed)" if model in failed else "")
            dash = " " if words.get("NUMBERED") else style.dash
            ax.plot(
                line["severity"], line["ccc"], dash, color=style.colour, marker=style.marker, ms=4, lw=style.width, label=label
            )
            if model == STUDIED:
                ax.fill_between(line["severity"], line["low"], line["high"], color=style.colour, alpha=0.15, lw=0)
        ax.set_title(f"{setting_title(setting)} · {target}")
        ax.set_ylim(min(0, data["ccc"].min()) - 0.05, max(0.3, data["high"].max()) + 0.03)
    for ax in flat[len(cells) :]:
        ax.set_axis_off()
    for ax in flat[len(cells) - n_cols : len(cells)]:
        ax.set_xlabel(f"{words['TITLE']} ({words['UNIT']})")
    for row in axes:
        row[0].set_ylabel("CCC, mean over subjects")
    legend_above(figure, flat[0])
    return FigureItem(figure, data, _finding(data, words["TITLE"], words.get("NUMBERED", False)))


def _means(evidence: Evidence, condition: str) -> pd.DataFrame:
    """Mean over subjects with its interval at every severity; NaN where a fold failed, so that no line is drawn."""
    rows = []
    scores = pick(evidence.scores, condition=condition).assign(condition="clean")  # each severity is read by itself
    for (setting, target, severity), part in scores.groupby(["setting", "target", "severity"], sort=True):
        rows += [(setting, target, m, severity, *map(float, interval(v)), len(v)) for m, v in levels(part).items()]
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(COLUMNS[:4], ignore_index=True)


def _finding(data: pd.DataFrame, title: str, numbered: bool) -> str:
    """From where to where each model goes between the mildest and the strongest severity (or the worst one, where severities
    are numbers of something), mean over data sets and targets."""
    models = []
    for model, part in data.groupby("model", sort=False):
        ends = part.groupby("severity")["ccc"].mean()
        last, failed = ends.min() if numbered else ends.iloc[-1], part["ccc"].isna().any()
        models.append(f"{model_title(model)} " + ("failed" if failed else f"from {ends.iloc[0]:.2f} to {last:.2f}"))
    strongest = data["severity"].max()
    when = f"in the worst case of {title}" if numbered else f"as the {title} rises to {strongest:g}"
    return f"Mean CCC {when}: {', '.join(models)}."
