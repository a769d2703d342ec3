"""CCC of every model against the severity. Lines are means over people and seeds; the band is Hi-MoE's 95%
interval over both. Where each severity is a subset of the modalities, lines are means over the subsets of one size and the band
is the range of Hi-MoE's over them. All models meet the same perturbed input."""

import pandas as pd

from himoe import registry
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, legend_above, line_styles, panels
from himoe.report.titles import dataset_of, model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.intervals import interval
from himoe.stats.levels import levels

TITLE = "CCC against severity"
SECTION = "missing"
NEEDS = ("scores",)
REQUIRES = {"conditions": "*"}
PER = "conditions"
COLUMNS = ["setting", "target", "model", "severity", "ccc", "low", "high", "n_subjects"]


def draw(evidence: Evidence, theme: Theme, condition: str) -> FigureItem:
    """One panel per data set and target, one line per model, a band for Hi-MoE."""
    data, words = _means(evidence, condition), registry.peek("conditions", condition)
    cells = [(s, t) for s in evidence.perturbed(condition) for t in evidence.targets_of(s)]
    n_cols = min(2, len(cells))
    of_subsets = words.get("NUMBERED", False)
    figure, axes = panels(-(-len(cells) // n_cols), n_cols, sharex=not of_subsets)
    failed = set(data.loc[data["ccc"].isna(), "model"])
    styles = line_styles(theme, evidence.models)
    flat = [ax for row in axes for ax in row]
    for ax, (setting, target) in zip(flat, cells, strict=False):
        shown, label = pick(data, setting=setting, target=target), f"{words['TITLE']} ({words['UNIT']})"
        if of_subsets:
            shown, label, names = _by_size(shown, condition, evidence.config.modalities_of(dataset_of(setting)))
            if names:
                ax.set_xticks(range(len(names)), names, rotation=40, ha="right")
        for model in evidence.models:
            line, style = pick(shown, model=model), styles[model]
            title = model_title(model) + (" (failed)" if model in failed else "")
            dash = " " if of_subsets and names else style.dash
            ax.plot(line["x"], line["ccc"], dash, color=style.colour, marker=style.marker, ms=4, lw=style.width, label=title)
            if model == STUDIED and dash != " ":
                ax.fill_between(line["x"], line["low"], line["high"], color=style.colour, alpha=0.15, lw=0)
        ax.set_title(f"{setting_title(setting)} · {target}")
        ax.set_ylim(min(0, data["ccc"].min()) - 0.05, max(0.3, data["high"].max()) + 0.03)
        if of_subsets or ax in flat[len(cells) - n_cols :]:
            ax.set_xlabel(label)
    for ax in flat[len(cells) :]:
        ax.set_axis_off()
    for row in axes:
        row[0].set_ylabel("CCC, mean over subjects")
    legend_above(figure, flat[0])
    return FigureItem(figure, data.drop(columns="x"), _finding(data, words["TITLE"], of_subsets))


def _by_size(data: pd.DataFrame, condition: str, modalities: tuple[str, ...]) -> tuple[pd.DataFrame, str, list[str]]:
    """(rows at the x at which they are drawn, label of x, names along it): each absent modality by name where all subsets have
    one size; else the mean over subsets of a size, with the range over them in place of the interval, and no names."""
    absent = registry.load("conditions", condition).absent
    gone = {s: absent(s, len(modalities)) for s in data["severity"].unique()}
    if all(len(of) <= 1 for of in gone.values()):
        at = {s: i for i, s in enumerate(sorted(gone))}
        names = [modalities[gone[s][0]] if gone[s] else "none" for s in sorted(gone)]
        return data.assign(x=data["severity"].map(at)), "modality that is absent", names
    present = data.assign(x=len(modalities) - data["severity"].map(lambda s: len(gone[s])))
    sizes = present.groupby(["model", "x"], sort=True)["ccc"]
    return sizes.agg(["mean", "min", "max"]).set_axis(["ccc", "low", "high"], axis=1).reset_index(), "modalities present", []


def _means(evidence: Evidence, condition: str) -> pd.DataFrame:
    """Mean over subjects with its interval at every severity; NaN where a fold failed, so that no line is drawn."""
    rows = []
    scores = pick(evidence.scores, condition=condition).assign(condition="clean")  # each severity is read by itself
    for (setting, target, severity), part in scores.groupby(["setting", "target", "severity"], sort=True):
        rows += [(setting, target, m, severity, *map(float, interval(v)), len(v)) for m, v in levels(part).items()]
    data = pd.DataFrame(rows, columns=COLUMNS).sort_values(COLUMNS[:4], ignore_index=True)
    return data.assign(x=data["severity"])


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
