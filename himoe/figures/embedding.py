"""How Hi-MoE represents trials: what its heads read, mean over a trial's steps, clean input. Drawn are the two principal
components of one network (the first fold), people tested and people of inner validation, to neither of whom it was fitted;
networks of other folds have directions of their own, so that no picture holds two of them. Beside it what a linear probe
finds, fold by fold, mean over all: the rating (CCC over a person's trials, probe fitted on the validation people; ratings that
vary in time as the trial's mean), the clip (fitted on the other people of the fold) and the person (fitted on other trials of
the same people; not to be asked where a fold tests one person). By chance: mean over 500 to 1000 permutations, probes fitted
again, of trials within a person, for the person within a fold. From the clip alone: permutations of people within a clip, of
departures from each person's own mean; what a probe tells of these beyond that is more than recognition of the clip. Seeds are
permuted in the same orders, and p is that of their mean. Where training is repeated on all people once
epochs are chosen (training.refit), validation people were trained on, and probes fitted on them are worse than need be."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, empty_panel, panels
from himoe.report.text import number, p_value
from himoe.report.titles import setting_title
from himoe.stats import linear_probes
from himoe.stats.frames import pick
from himoe.stats.levels import CLEAN
from himoe.stats.linear_probes import Probe, Represented, mean_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "How trials are represented"
SECTION = "model"
NEEDS = ("routing", "predictions", "splits")
REQUIRES = {"models": "himoe"}
TESTED, VALIDATION = "representation", "representation_of_validation"
KEYS = ["seed", "fold", "subject", "trial"]
BEYOND = " beyond the clip"
COLUMNS = ["setting", "asks", "value", "chance", "chance_95", "p", "n_seeds", "n_trials"]


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One row per data set: coloured by the first two targets, by clip and by person."""
    settings = evidence.leading
    figure, axes = panels(len(settings), 4, height=2.5)
    routed = evidence.routed([CLEAN], [TESTED, VALIDATION])
    rows, findings = [], []
    for row, setting in zip(axes, settings, strict=True):
        targets = evidence.targets_of(setting)[:2]
        trials = _trials(evidence, pick(routed, setting=setting), setting)
        if trials.empty:
            for ax in row:
                empty_panel(ax, setting_title(setting).split(",")[0], theme)
            findings.append(f"{setting_title(setting)}: no fold ended well.")
            continue
        found = {
            asks: [*mean_of(of_seeds)[:4], len(of_seeds), of_seeds[0].n] for asks, of_seeds in _probes(trials, targets).items()
        }
        rows += [[setting, asks, *probe] for asks, probe in found.items()]
        _row(row, trials, targets, found, theme)
        row[0].set_ylabel(setting_title(setting).split(",")[0])
        findings.append(f"{setting_title(setting)}: {'; '.join(f'{k} {_said(p)}' for k, p in found.items())}.")
    if rows:
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper left", ncols=2, fontsize=8)
    return FigureItem(figure, pd.DataFrame(rows, columns=COLUMNS), " ".join(findings))


def _trials(evidence: Evidence, routed: pd.DataFrame, setting: str) -> pd.DataFrame:
    """A row for each trial of each network: ``tested``, stimulus, mean ratings by target, and columns 0, 1, .. of what
    represents it."""
    wide = routed.pivot(index=[*KEYS, "quantity"], columns="part", values="value")
    wide = wide[sorted(wide.columns, key=int)].reset_index()
    wide = wide.assign(tested=wide["quantity"] == TESTED).drop(columns="quantity")
    said = pick(evidence.predictions, setting=setting, model=STUDIED, condition=CLEAN)
    labels = said.groupby(["subject", "trial", "target"])["y_true"].mean().unstack("target").reset_index()
    known = wide.merge(labels, on=["subject", "trial"], how="left", validate="many_to_one")
    return known.merge(evidence.stimuli[setting], on=["subject", "trial"], validate="many_to_one")


def _probes(trials: pd.DataFrame, targets: tuple[str, ...]) -> dict[str, list[Probe]]:
    """What is asked -> what is found with each seed."""
    width = [name for name in trials if str(name).isdigit()]
    units = trials.drop_duplicates(["subject", "trial"])
    subject, stimulus = units["subject"].to_numpy(str), units["stimulus"].to_numpy(str)
    at = pd.MultiIndex.from_frame(units[["subject", "trial"]])
    found: dict[str, list[Probe]] = {}
    for _, of_seed in trials.groupby("seed"):
        folds = [
            Represented(
                part[width].to_numpy(float), at.get_indexer(pd.MultiIndex.from_frame(part[["subject", "trial"]])),
                part["tested"].to_numpy(),
            )
            for _, part in of_seed.groupby("fold")
        ]  # fmt: skip
        asked = {}
        for target in targets:
            y = units[target].to_numpy(float)
            asked[target] = linear_probes.rating(folds, y, subject)
            asked[target + BEYOND] = linear_probes.rating_beyond(folds, y, subject, stimulus)
        asked["clip"] = linear_probes.clip(folds, stimulus, subject)
        asked["person"] = linear_probes.person(folds, subject)
        for question, probe in asked.items():
            found.setdefault(question, []).append(probe)
    return found


def _said(probe: list[float]) -> str:
    value, chance, _, p = probe[:4]
    return "cannot be asked" if np.isnan(value) else f"{number(value, 2)} (chance {number(chance, 2)}, p {p_value(p)})"


def _row(
    axes: "list[Axes]", trials: pd.DataFrame, targets: tuple[str, ...], found: dict[str, list[float]], theme: Theme
) -> None:  # fmt: skip
    """The first network's trials, coloured by each thing that may be in them."""
    from sklearn.decomposition import PCA

    first = trials.sort_values(["seed", "fold"], kind="stable")
    first = first[(first["seed"] == first["seed"].iloc[0]) & (first["fold"] == first["fold"].iloc[0])]
    x = first[[name for name in trials if str(name).isdigit()]].to_numpy(float)
    plane = PCA(2, svd_solver="full").fit_transform(x)
    names = [*targets, *[""] * (2 - len(targets)), "clip", "person"]
    columns = {"clip": "stimulus", "person": "subject"}
    for ax, name in zip(axes, names, strict=True):
        ax.set(xticks=[], yticks=[])
        if not name:
            ax.set_axis_off()
            continue
        values = first[columns.get(name, name)]
        colour = values.to_numpy(float) if name in targets else np.unique(values, return_inverse=True)[1]
        scheme, low, high = "viridis" if name in targets else "turbo", float(np.nanmin(colour)), float(np.nanmax(colour))
        for tested, marker, size in ((False, "o", 12), (True, "D", 26)):
            at = (first["tested"] == tested).to_numpy()
            label = "tested" if tested else "of inner validation"
            look: dict[str, Any] = {"s": size, "marker": marker, "lw": 0.6, "edgecolors": theme.text, "label": label}
            ax.scatter(plane[at, 0], plane[at, 1], c=colour[at], cmap=scheme, vmin=low, vmax=high, **look)
        if name in targets:
            alone = found[name + BEYOND][1]
            last = "\nclips are each one's own" if np.isnan(alone) else f"\nfrom the clip alone {number(alone, 2)}"
            ax.set_title(f"{name} (dark: low), CCC\n{_lines(found[name])}{last}", fontsize=7.5)
        else:
            ax.set_title(f"{name}, trials named right\n{_lines(found[name])}", fontsize=7.5)


def _lines(probe: list[float]) -> str:
    """For a narrow panel."""
    return "cannot be asked" if np.isnan(probe[0]) else f"{number(probe[0], 2)}, by chance {number(probe[1], 2)}"
