"""CCC of every model against the severity. Lines are means over people and seeds; the band is Hi-MoE's 95% interval over both.
Where there are more lines than five, or two that a colour-blind reader would confuse, each rival has a panel of its own beside
Hi-MoE, targets averaged; references, which are told the clip or the person, are thin and dotted. Ahead and behind are of
Hi-MoE's lead where input is worst: a 95% interval above or below 0, one comparison at a time. Where each severity is a subset
of the modalities, the worst is that with the lowest mean over all models, lines are means over the subsets of one size and the
band is the range of Hi-MoE's over them; where each takes one modality away, they are named and rivals are ticks. All models
meet the same perturbed input. A model that always says the same has CCC 0 and no line."""

from __future__ import annotations

from functools import cache
from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from himoe import registry
from himoe.names import CLEAN, STUDIED
from himoe.report.absence import absent, one_by_one, with_names
from himoe.report.colours import told_apart
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import (
    LineStyle,
    Theme,
    legend_above,
    line_styles,
    panels,
    share_a_panel,
    small_multiples,
    title_small,
    wrapped,
)
from himoe.report.text import interval as in_words
from himoe.report.text import number
from himoe.report.titles import FEW, dataset_of, model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.intervals import Interval, interval
from himoe.stats.levels import levels
from himoe.stats.sides import AHEAD, BEHIND, FAILED, SIDES, UNDECIDED, side

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "CCC against severity"
SECTION = "missing"
NEEDS = ("scores",)
REQUIRES = {"conditions": "*"}
PER = "conditions"
ALL = "mean of targets"
FLAT = 1e-9  # CCC of a model that always says the same
NAMED = 3  # rivals on one side that are named; more are counted
LOWEST = "where the mean over all models is lowest"
COLUMNS = [
    "setting", "target", "model", "severity", "ccc", "low", "high", "lead", "lead_low", "lead_high", "side", "n_people",
    "n_seeds",
]  # fmt: skip


class Curves(NamedTuple):
    """What is drawn of one condition: ``data`` by setting, target, model and severity, of the models that have a ``lines``."""

    evidence: Evidence
    theme: Theme
    condition: str
    data: pd.DataFrame
    lines: list[str]

    @property
    def words(self) -> dict[str, Any]:
        """What the condition's plug-in says."""
        return registry.peek("conditions", self.condition)

    @property
    def settings(self) -> list[str]:
        """Where it was evaluated."""
        return self.evidence.perturbed(self.condition)

    @property
    def is_one_by_one(self) -> bool:
        """Whether each severity takes one modality away, or none: they are named then, and no line joins them."""
        if not self.words.get("NUMBERED", False):
            return False
        sizes = (len(self.evidence.config.modalities_of(dataset_of(s))) for s in self.settings)
        return all(len(gone) <= 1 for n in sizes for gone in absent(self.data, self.condition, n).values())

    def whole(self, setting: str) -> pd.DataFrame:
        """Rows of a setting, targets averaged."""
        targets = self.evidence.targets_of(setting)
        return pick(self.data, setting=setting, target=ALL if len(targets) > 1 else targets[0])


def draw(evidence: Evidence, theme: Theme, condition: str) -> FigureItem:
    """One panel per data set and target with a line per model, or one panel per data set and rival."""
    data = _means(evidence, condition)
    lines = [m for m in evidence.models if not (pick(data, model=m)["ccc"].abs() < FLAT).all()]
    curves = Curves(evidence, theme, condition, data, lines)
    if curves.is_one_by_one:
        figure = one_by_one(_absent_by_name(curves), theme)
    else:
        figure = _together(curves) if share_a_panel(lines) else _apart(curves)
    return FigureItem(figure, data, " ".join(_sentence(curves, curves.whole(s)) for s in curves.settings))


def _together(curves: Curves) -> Figure:
    """One panel per setting and target, with all lines."""
    cells = [(s, t) for s in curves.settings for t in curves.evidence.targets_of(s)]
    n_cols = min(2, len(cells))
    figure, axes = panels(-(-len(cells) // n_cols), n_cols)
    styles = line_styles(curves.theme, curves.lines)
    flat = [ax for row in axes for ax in row]
    for ax, (setting, target) in zip(flat, cells, strict=False):
        here = pick(curves.data, setting=setting, target=target)
        label = _lines(ax, curves, here, [(m, styles[m]) for m in curves.lines])
        ax.set_title(f"{setting_title(setting)} · {target}: {_in_short(curves, here)}", fontsize=9)
        ax.set_xlabel(label)
        ax.set_ylabel("CCC, mean over people")
    for ax in flat[len(cells) :]:
        ax.set_axis_off()
    _one_scale(curves, flat[: len(cells)])
    legend_above(figure, flat[0])
    return figure


def _apart(curves: Curves) -> Figure:
    """One block per setting, one panel per rival."""
    wholes = [curves.whole(s) for s in curves.settings]
    rivals = [[m for m in curves.lines if m in set(w["model"]) and _is_rival(m)] for w in wholes]
    references = [m for m in curves.lines if registry.is_reference(m)]
    figure, blocks = small_multiples([len(names) for names in rivals])
    styles = {m: s._replace(width=min(s.width, 1.4)) for m, s in line_styles(curves.theme, curves.lines).items()}
    for (block, axes), here, names in zip(blocks, wholes, rivals, strict=True):
        for ax, rival in zip(axes, names, strict=True):
            beside = [
                r for r in references if told_apart([registry.colours(m)[curves.theme.shade] for m in (STUDIED, rival, r)])
            ]
            shown = [(m, styles[m]) for m in (*beside, STUDIED, rival) if m in curves.lines]
            label = _lines(ax, curves, here, shown, small=True)
            found = pick(_worst(curves, here), model=rival)
            title_small(ax, model_title(rival), _lead(*found[["side", "lead"]].iloc[0]))
            ax.tick_params(labelsize=8)
            ax.grid(False, axis="x")
        block.suptitle(wrapped(_sentence(curves, here)), x=0.01, ha="left", fontsize=9)
        block.supylabel("CCC, mean over people", fontsize=8.5)
    _one_scale(curves, [ax for _, axes in blocks for ax in axes])
    named = {model_title(m): styles[m] for m in (STUDIED, *references) if m in styles}
    handles = [blocks[0][1][0].plot([], [], s.dash, color=s.colour, lw=s.width, label=title)[0] for title, s in named.items()]
    legend = blocks[-1][0].legend(
        handles=handles, loc="outside lower left", ncols=3, fontsize=8.5, title=f"along x: {label}", title_fontsize=8.5
    )
    legend.set_alignment("left")
    return figure


def _is_rival(model: str) -> bool:
    return model != STUDIED and not registry.is_reference(model)


def _lines(ax: Axes, curves: Curves, here: pd.DataFrame, shown: list[tuple[str, LineStyle]], small: bool = False) -> str:
    """Draw models' lines of one setting and target, with Hi-MoE's band; gives back what x is."""
    at, label = here.assign(x=here["severity"]), f"{curves.words['TITLE']} ({curves.words['UNIT']})"
    if curves.words.get("NUMBERED", False):
        modalities = curves.evidence.config.modalities_of(dataset_of(here["setting"].iloc[0]))
        at, label = _by_size(here, curves.condition, len(modalities))
    for model, style in shown:
        line, dash = pick(at, model=model), style.dash
        title = model_title(model) + (" (failed)" if line["ccc"].isna().any() else "")
        marker = "" if small else style.marker
        ax.plot(line["x"], line["ccc"], dash, color=style.colour, marker=marker, ms=4, lw=style.width, label=title)
        if model == STUDIED:
            ax.fill_between(line["x"], line["low"], line["high"], color=style.colour, alpha=0.18, lw=0)
    if small:
        ax.set_xticks([at["x"].min(), at["x"].max()])
    return label


def _by_size(data: pd.DataFrame, condition: str, n_modalities: int) -> tuple[pd.DataFrame, str]:
    """(rows at the x at which they are drawn, label of x): the mean over subsets of a size, with the range over them in place
    of the interval."""
    gone = absent(data, condition, n_modalities)
    present = data.assign(x=n_modalities - data["severity"].map(lambda s: len(gone[s])))
    sizes = present.groupby(["model", "x"], sort=True)["ccc"]
    return sizes.agg(["mean", "min", "max"]).set_axis(["ccc", "low", "high"], axis=1).reset_index(), "modalities present"


def _absent_by_name(curves: Curves) -> dict[str, pd.DataFrame]:
    """Title of a panel -> rows of its setting, of Hi-MoE and its rivals, with what is ``absent``."""
    blocks, shown = {}, [STUDIED, *filter(_is_rival, curves.lines)]
    for setting in curves.settings:
        here, modalities = curves.whole(setting), curves.evidence.config.modalities_of(dataset_of(setting))
        named = with_names(pick(here, model=shown), curves.condition, modalities)
        blocks[f"{setting_title(setting)}: {_in_short(curves, here)}"] = named
    return blocks


def _one_scale(curves: Curves, axes: list[Axes]) -> None:
    """CCC on the same scale in all panels: all lines and Hi-MoE's band."""
    shown = pick(curves.data, model=curves.lines)
    band = pick(shown, model=STUDIED)
    low, high = min(0, shown["ccc"].min(), band["low"].min()), max(0.3, shown["ccc"].max(), band["high"].max())
    for ax in axes:
        ax.set_ylim(low - 0.03, high + 0.03)
        ax.locator_params(axis="y", nbins=4)


@cache
def _means(evidence: Evidence, condition: str) -> pd.DataFrame:
    """CCC and Hi-MoE's lead at every severity, each a mean over people with its interval, of each target and of all; NaN where
    a fold failed, so that no line is drawn."""
    rows = []
    scores = pick(evidence.scores, condition=condition).assign(condition=CLEAN)  # each severity is read by itself
    for (setting, severity), part in scores.groupby(["setting", "severity"], sort=True):
        targets = [(t, pick(part, target=t)) for t in evidence.targets_of(setting)]
        for target, of_target in [*targets, (ALL, part)] if len(targets) > 1 else targets:
            values = levels(of_target)
            for model, ccc in values.items():
                lead = (
                    interval(values[STUDIED] - ccc) if STUDIED in values and _is_rival(model) else interval(ccc * float("nan"))
                )
                word = _word(lead, evidence.has_few_seeds(str(setting))) if _is_rival(model) else ""
                found = [*map(float, interval(ccc)), *map(float, lead), word, *ccc.shape]
                rows.append((setting, target, model, severity, *found))
    data = pd.DataFrame(rows, columns=COLUMNS)
    places = data.assign(model=data["model"].map(registry.place)).sort_values(COLUMNS[:4]).index
    return data.loc[places].reset_index(drop=True)


def _word(lead: Interval, few_seeds: bool) -> str:
    """On which side a lead is, where there are seeds enough to tell."""
    return FEW if few_seeds and not isnan(lead.mean) else side(lead)


def _worst(curves: Curves, here: pd.DataFrame) -> pd.DataFrame:
    """Rows of the last severity or, where severities are numbers of subsets, of that with the lowest mean over all models: not
    Hi-MoE's own lowest, which would be picked by the very luck that its lead is then tested on."""
    if not curves.words.get("NUMBERED", False):
        return here[here["severity"] == here["severity"].max()]
    means = here.groupby("severity")["ccc"].mean()
    return here[here["severity"] == means.fillna(1).idxmin()]


def _sides(worst: pd.DataFrame) -> dict[str, list[str]]:
    """Rivals' titles by the side that Hi-MoE is on."""
    words = (AHEAD, BEHIND, UNDECIDED, FEW, FAILED)
    return {word: [model_title(m) for m in pick(worst, side=word)["model"]] for word in words}


def _in_short(curves: Curves, here: pd.DataFrame) -> str:
    """Of one panel: from where to where Hi-MoE goes, and how many rivals it leaves on each side."""
    studied, worst = pick(here, model=STUDIED), _worst(curves, here)
    if studied.empty or studied["ccc"].isna().any():
        return f"{model_title(STUDIED)} failed" if len(studied) else "no Hi-MoE"
    ends = f"{number(studied['ccc'].iloc[0], 2)} to {number(pick(worst, model=STUDIED)['ccc'].iloc[0], 2)}"
    return ", ".join([ends] + [f"{word} {len(names)}" for word, names in _sides(worst).items() if names and word != FEW])


def _lead(word: str, lead: float) -> str:
    """Of one rival: ``ahead by .12``, ``undecided``; ``lead -.02`` where seeds are too few to tell."""
    if word == FEW:
        return f"lead {number(lead, 2)}"
    return f"{word} by {number(abs(lead), 2)}" if word in (AHEAD, BEHIND) else word


def _sentence(curves: Curves, here: pd.DataFrame) -> str:
    """Of one setting: from where to where Hi-MoE goes with its interval, and who is ahead, behind and neither at the end."""
    setting, worst = here["setting"].iloc[0], _worst(curves, here)
    n_people, n_seeds = here[["n_people", "n_seeds"]].iloc[0]
    who = f"{setting_title(setting)} ({n_people} people, {n_seeds} seed{'s' * (n_seeds > 1)})"
    studied = pick(here, model=STUDIED)
    if studied.empty or studied["ccc"].isna().any():
        return f"{who}: {'a fold of Hi-MoE diverged' if len(studied) else 'Hi-MoE is not in this run'}."
    end = pick(worst, model=STUDIED).iloc[0]
    last = in_words(end["ccc"], end["low"], end["high"], 2)
    sides = _sides(worst)
    leads = pick(worst, side=FEW)["lead"]
    if len(leads):
        there = f"there its leads over {len(leads)} others run from {number(leads.min(), 2)} to {number(leads.max(), 2)}, {FEW}"
    else:
        there = "there it is " + ", ".join(f"{words} {_few(sides[word])}" for word, words in SIDES.items())
    there += f", {len(sides[FAILED])} failed" if sides[FAILED] else ""
    return (
        f"{who}, {_when(curves, setting, here['severity'].min(), end['severity'])}: Hi-MoE goes from CCC "
        f"{number(studied['ccc'].iloc[0], 2)} to {last}; {there}."
    )


def _few(names: list[str]) -> str:
    """How many, by name where they are few."""
    return "none" if not names else str(len(names)) + (f" ({', '.join(names)})" if len(names) <= NAMED else "")


def _when(curves: Curves, setting: str, first: float, last: float) -> str:
    """``random missing rate 0 to 0.7 (share of tokens lost)``, ``without eeg and gsr (where ...)``."""
    if not curves.words.get("NUMBERED", False):
        return f"{curves.words['TITLE']} {first:g} to {last:g} ({curves.words['UNIT']})"
    modalities = curves.evidence.config.modalities_of(dataset_of(setting))
    gone = registry.load("conditions", curves.condition).absent(last, len(modalities))
    return f"without {' and '.join(modalities[i].replace('_', ' ') for i in gone)} ({LOWEST})"
