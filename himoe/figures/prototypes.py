"""Signed weights of the emotional prototypes in Hi-MoE's emotion expert bank, clean input, test trials of all folds that ended
well, mean over seeds. Left, where a prototype weighs more: each stands at its anchor on the plane of the first two targets (on
a line where there is one; filled: its mean weight is above 0), and its arrow is by how much its weight rises with what the
person reported, within people; the ring is the length that 95% of permutations of trials within people stay below. An arrow
inside its ring tells nothing; one that leaves it away from the centre is a prototype that weighs more for what it stands for.
It may follow the clip and not the rating: see what routing tells beyond the clip. Middle: mean weight by quadrants of the
ratings around their medians (thirds, where there is one target), prototypes named by their anchor (degrees; 0: the first target
is high, 90: the second); a cell is coloured by its departure from the column's mean where that exceeds the largest departure of
95% of permutations, and plain where it does not. Differential attention can make a weight negative: that expert is subtracted.
Right: lambda, a dot a network."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, empty_panel, panels
from himoe.report.text import number, p_value
from himoe.report.titles import failed_folds, setting_title
from himoe.stats.frames import pick
from himoe.stats.information import rating_groups
from himoe.stats.levels import CLEAN
from himoe.stats.plane import Slopes, anchors, departures, slopes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Prototype weights of the emotion expert bank"
SECTION = "model"
NEEDS = ("routing", "predictions", "runs")
REQUIRES = {"models": "himoe"}
TRIAL = ["subject", "trial"]
WEIGHT, LAMBDA = "prototype_weight", "lambda"
COLUMNS = ["setting", "what", "prototype", "group", "value", "limit"]
ARROW = 0.75  # length of the longest arrow, in radii of the circle of anchors


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """A row per data set."""
    settings = evidence.leading
    figure, axes = panels(len(settings), 3, height=2.9, widths=(1, 1.75, 0.4))
    routed = evidence.routed([CLEAN], [WEIGHT, LAMBDA])
    predictions = pick(evidence.predictions, model=STUDIED, condition=CLEAN)
    parts, findings = [], []
    for row, setting in zip(axes, settings, strict=True):
        title, targets, rows = setting_title(setting), evidence.targets_of(setting), pick(routed, setting=setting)
        if rows.empty:
            for ax in row:
                empty_panel(ax, "", theme)
            row[0].set_title(title.split(",")[0])
            findings.append(f"{title}: every fold failed.")
            continue
        weights, labels = _by_trial(rows, pick(predictions, setting=setting), targets)
        subject, w = np.asarray(weights.index.get_level_values("subject"), str), weights.to_numpy()
        found = slopes(w, labels[list(targets[:2])].to_numpy(), subject)
        groups = rating_groups(labels, targets)
        table, limit = departures(w, groups.to_numpy(str), subject)
        lam = pick(rows, quantity=LAMBDA).groupby(["seed", "fold"])["value"].mean()
        _plane(row[0], found, w.mean(0), targets[:2], theme)
        _heat(row[1], table, weights.groupby(groups.to_numpy(str)).mean(), limit, len(targets), theme)
        _lambda(row[2], lam, theme)
        row[0].set_title(f"{title.split(',')[0]}{failed_folds(evidence, setting)}\n{_short(found)}", fontsize=8)
        n_cells = int((np.abs(table) > limit).sum())
        row[1].set_title(f"mean weights by what was reported\n{n_cells} of {table.size} beyond chance", fontsize=8)
        findings.append(f"{title}: {_finding(found, n_cells, table.size)}; {_spread(lam)}.")
        parts.append(_rows(setting, found, table, sorted(groups.unique()), limit, lam))
    data = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return FigureItem(figure, data, " ".join(findings))


def _by_trial(rows: pd.DataFrame, said: pd.DataFrame, targets: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Weight of each prototype and mean rating of each target, by subject and trial; those rated on all targets."""
    weight = pick(rows, quantity=WEIGHT).assign(part=lambda f: f["part"].astype(int))
    weights = weight.pivot_table(index=TRIAL, columns="part", values="value")
    labels = said.pivot_table(index=TRIAL, columns="target", values="y_true")[list(targets)].dropna()
    both = weights.index.intersection(labels.index)
    return weights.loc[both], labels.loc[both]


def _short(found: Slopes) -> str:
    n_beyond = int((np.linalg.norm(found.slope, axis=1) > found.largest).sum())
    return f"{n_beyond} of {len(found.slope)} follow the rating"


def _finding(found: Slopes, n_cells: int, size: int) -> str:
    return (
        f"weights of {_short(found)} beyond chance (the longest of all in 95% of permutations); towards its own anchor a "
        f"weight rises by {number(found.homeward)} a standard deviation (chance {number(found.chance)}, p {p_value(found.p)}); "
        f"{n_cells} of {size} groups' mean weights depart beyond chance"
    )


def _spread(lam: pd.Series) -> str:
    return f"lambda {number(lam.mean(), 2)} ({number(lam.min(), 2)} to {number(lam.max(), 2)}, {len(lam)} networks)"


def _rows(
    setting: str, found: Slopes, table: np.ndarray, groups: list[str], limit: float, lam: pd.Series
) -> pd.DataFrame:  # fmt: skip
    """All numbers of a row of panels."""
    rows = [
        (setting, f"slope on target {d + 1}", k, "", value, found.limit[k]) for (k, d), value in np.ndenumerate(found.slope)
    ] + [(setting, "departure", k, groups[g], value, limit) for (g, k), value in np.ndenumerate(table)]
    rows += [(setting, LAMBDA, -1, f"seed {seed} fold {fold}", value, np.nan) for (seed, fold), value in lam.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _plane(ax: "Axes", found: Slopes, mean: np.ndarray, targets: tuple[str, ...], theme: Theme) -> None:
    """Arrows from the anchors, each in the ring of its null; on a line, arrows stand upright."""
    from matplotlib.patches import Circle

    at = anchors(*found.slope.shape)
    one = at.shape[1] == 1
    at, slope = (np.hstack([at, 0 * at]), np.hstack([0 * found.slope, found.slope])) if one else (at, found.slope)
    lengths = np.linalg.norm(slope, axis=1)
    scale = ARROW / max(lengths.max(), found.limit.max(), 1e-9)
    for point, arrow, limit, length, level in zip(at, slope * scale, found.limit * scale, lengths, mean, strict=True):
        colour = theme.accent if length > found.largest else theme.palette[-1]
        ax.add_patch(Circle(tuple(point), limit, fill=False, ec=theme.text, lw=0.7))
        ax.annotate(
            "", point + arrow, point, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
        )
        ax.plot(*point, "o", ms=5, color=theme.text, mfc=theme.text if level > 0 else theme.background)
    edge = 1.1 + ARROW
    ax.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal", xticks=[], yticks=[])
    ax.axhline(0, color=theme.line, lw=0.8)
    ax.axvline(0, color=theme.line, lw=0.8)
    ax.set_xlabel(f"{targets[0]} →")
    ax.set_ylabel("weight →" if one else f"{targets[1]} →")


def _heat(ax: "Axes", table: np.ndarray, means: pd.DataFrame, limit: float, n_targets: int, theme: Theme) -> None:
    strongest = max(np.abs(table).max(), 1e-9)
    ax.grid(False)
    beyond = np.abs(table) > limit
    ax.imshow(np.ma.masked_where(~beyond, table), aspect="auto", cmap=theme.diverging, vmin=-strongest, vmax=strongest)
    ax.set_yticks(range(len(table)), [name.replace(", ", "\n") for name in means.index], fontsize=7.5)
    names = [f"{a:+.1f}" for a in np.linspace(-1.5, 1.5, table.shape[1])]
    if n_targets > 1:
        names = [f"{360 * k / table.shape[1]:.0f}°" for k in range(table.shape[1])]
    ax.set_xticks(range(table.shape[1]), names, fontsize=7.5)
    for (g, k), value in np.ndenumerate(means.to_numpy()):
        on_colour = "#ffffff" if abs(table[g, k]) > 0.6 * strongest else "#10151c"
        colour = on_colour if beyond[g, k] else theme.text
        ax.text(k, g, f"{value:+.2f}", ha="center", va="center", fontsize=7, color=colour)
    ax.set_xlabel("prototype (its anchor)")


def _lambda(ax: "Axes", lam: pd.Series, theme: Theme) -> None:
    aside = np.random.default_rng(0).uniform(-0.25, 0.25, len(lam))
    ax.scatter(aside, lam, s=9, color=theme.accent, alpha=0.5, lw=0)
    ax.hlines(lam.mean(), -0.4, 0.4, color=theme.text, lw=1.5)
    ax.set(xlim=(-0.6, 0.6), ylim=(0, 1), xticks=[])
    ax.set_title(f"lambda\n{number(lam.mean(), 2)}", fontsize=8)
