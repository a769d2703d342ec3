"""What Hi-MoE's fusion does while half of the modalities, drawn at random in each trial, are lost together. Left and middle:
summed share of the modalities that are lost, of those that remain, and of the null token, from 5 s before the outage begins
(ends) to 5 s after it; thin and dashed the same trials with nothing lost. A share that is lost within a token is routing by
presence; what is left of it for some seconds is the alignment's, which shifts what was present before into the outage. Right:
the share of each modality in trials in which it remains, with nothing lost (hollow) and during the outage (filled): who takes
over. Means over people of all severities, bands and bars 95% intervals over people and seeds. Late fusion pools by the same
masked softmax and has no bank: what is as fast there is not the bank's. Trials of a fold that failed
under one seed are left out under all."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from himoe.config.facts import dataset_info
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import Theme, empty_panel, panels
from himoe.report.text import number
from himoe.report.titles import dataset_of, failed_folds, few_seeds, model_title, setting_title
from himoe.stats.frames import complete, pick
from himoe.stats.intervals import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Routing over an outage"
SECTION = "missing"
NEEDS = ("routing", "runs")
REQUIRES = {"models": "himoe", "conditions": "outage"}
GROUPS = ("lost", "remaining", "null token")
EDGES = {"outage_onset": "begins", "outage_end": "ends"}
SHARES, LOST = "outage_share", "outage_lost"
PLAIN = "late_fusion"
PERSON = ["subject", "seed"]
COLUMNS = ["setting", "panel", "what", "time", "case", "share", "low", "high", "n_people"]


class Change(NamedTuple):
    """At the first token of an outage: shares of :data:`GROUPS` with nothing lost and under it, and how much of the change of
    what is lost has then happened."""

    clean: list[float]
    during: list[float]
    at_once: float


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """A row per data set."""
    settings = [s for s in evidence.leading if s in evidence.perturbed("outage")] or evidence.leading[:1]
    figure, axes = panels(len(settings), 3, height=2.7)
    routed = evidence.routed(["outage"], [*EDGES, SHARES, LOST])
    plain = evidence.routed(["outage"], ["outage_onset"], PLAIN)
    parts, findings = [], []
    for row, setting in zip(axes, settings, strict=True):
        title, rows = setting_title(setting), complete(pick(routed, setting=setting))
        if rows.empty:
            for ax in row:
                empty_panel(ax, title.split(",")[0], theme)
            findings.append(f"{title}: no outage was predicted.")
            continue
        rate = dataset_info(dataset_of(setting)).token_rate
        names = [name.replace("_", " ") for name in evidence.config.modalities_of(dataset_of(setting))]
        courses = {edge: over_time(pick(rows, quantity=edge), rate) for edge in EDGES}
        takers = by_modality(rows, [*names, GROUPS[-1]])
        for ax, (edge, course) in zip(row, courses.items(), strict=False):
            _lines(ax, course, theme)
            ax.set_xlabel(f"s from where the outage {EDGES[edge]}")
            ax.set_title(f"outage {EDGES[edge]}", fontsize=8.5)
        _dumbbells(row[2], takers, theme)
        said, beside = _said(at_onset(courses["outage_onset"])), complete(pick(plain, setting=setting))
        row[0].set_title(f"outage begins\n{said[0]}", fontsize=8)
        row[0].set_ylabel(f"{title.split(',')[0]}\nshare of the fusion")
        gain = (takers["during"] - takers["clean"]).idxmax()
        most = f"{takers['what'][gain]} gains most, {number(takers['during'][gain] - takers['clean'][gain], 2)}"
        row[2].set_title(f"who takes over, if left\n{most}", fontsize=8)
        findings.append(f"{title}, {_who(evidence, setting, STUDIED, courses['outage_onset'])}: {'; '.join(said)}; {most}.")
        if len(beside):
            other = over_time(beside, rate)
            who = _who(evidence, setting, PLAIN, other)
            findings.append(f"{model_title(PLAIN)}, {who}: {'; '.join(_said(at_onset(other)))}.")
            parts.append(other.assign(panel=f"outage_onset, {model_title(PLAIN)}", setting=setting))
        long = takers.melt(["what", "low", "high", "n_people"], ["clean", "during"], "case", "share")
        parts += [course.assign(panel=edge) for edge, course in courses.items()] + [long.assign(panel=SHARES, time=np.nan)]
        parts = [part if "setting" in part else part.assign(setting=setting) for part in parts]
    if parts:
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper left", ncols=4, fontsize=8.5)
    data = pd.concat([part[COLUMNS] for part in parts], ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return FigureItem(figure, data, " ".join(findings))


def over_time(rows: pd.DataFrame, rate: float) -> pd.DataFrame:
    """By ``time`` (s from the edge), ``what`` of :data:`GROUPS` and ``case`` (clean, during): ``share`` with its interval over
    people and seeds, from rows of one edge; steps that lie outside a trial are left out."""
    index = rows["part"].str.split("/", expand=True).astype(int)
    rows = rows.assign(step=index[0], what=index[1].map(dict(enumerate(GROUPS))), case=index[2].map({0: "clean", 1: "during"}))
    reach = (rows["step"].max() + 1) // 2
    keys = ["step", "what", "case"]
    means = _over_people(rows.dropna(subset="value"), keys)
    return means.assign(time=(means["step"] - reach) / rate).drop(columns="step")


def by_modality(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """``what`` (modality or null token), its share with nothing lost (``clean``) and ``during`` the outage with the interval of
    the latter, in trials in which it is not lost."""
    keys = ["setting", "severity", "fold", "seed", "subject", "trial"]
    share = pick(rows, quantity=SHARES)
    index = share["part"].str.split("/", expand=True).astype(int)
    share = share.assign(place=index[0], case=index[1].map({0: "clean", 1: "during"}))
    lost = pick(rows, quantity=LOST).assign(place=lambda f: f["part"].astype(int))[[*keys, "place", "value"]]
    both = share.merge(lost.rename(columns={"value": "lost"}), on=[*keys, "place"], how="left", validate="many_to_one")
    null = both["place"] == len(names) - 1
    means = _over_people(both[null | (both["lost"] == 0)], ["place", "case"])
    during, clean = (means[means["case"] == case].set_index("place") for case in ("during", "clean"))
    table = during.rename(columns={"share": "during"}).assign(clean=clean["share"]).reset_index()
    return table.assign(what=[names[i] for i in table["place"]]).drop(columns=["place", "case"])


def at_onset(course: pd.DataFrame) -> Change:
    """From :func:`over_time` of the onset."""
    wide = course.pivot(index=["case", "what"], columns="time", values="share")
    clean, during = ([float(wide.loc[case, 0.0][what]) for what in GROUPS] for case in ("clean", "during"))
    fall = (wide.loc["clean"] - wide.loc["during"]).loc[GROUPS[0]]
    later = float(fall[fall.index > 0].mean())
    return Change(clean, during, (clean[0] - during[0]) / later if later else np.nan)


def _who(evidence: Evidence, setting: str, model: str, course: pd.DataFrame) -> str:
    """``5 people, without 1 failed fold``."""
    return f"{course['n_people'].max()} people{failed_folds(evidence, setting, model)}{few_seeds(evidence, setting)}"


def _said(change: Change) -> list[str]:
    """Two sentences about the first token."""
    fall = change.clean[0] - change.during[0]
    taken = (change.during[1] - change.clean[1]) / fall if fall else np.nan
    return [
        f"lost: {number(change.clean[0], 2)} → {number(change.during[0], 2)} in a token",
        f"of that share those that remain take {taken:.0%}, the null token {1 - taken:.0%}",
        f"{change.at_once:.0%} of the change happens within that token",
    ]


def _over_people(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Mean of the column ``value`` by ``keys`` as ``share``, its interval over people and seeds, and the number of people."""
    means = rows.groupby([*keys, *PERSON])["value"].mean().astype(float).unstack("seed")
    out = []
    for key, part in means.groupby(level=keys):
        out.append([*key, *map(float, interval(part.to_numpy())), len(part)])
    return pd.DataFrame(out, columns=[*keys, "share", "low", "high", "n_people"])


def _lines(ax: "Axes", course: pd.DataFrame, theme: Theme) -> None:
    colours = dict(zip(GROUPS, (theme.accent, theme.palette[0], theme.palette[-1]), strict=True))
    for what, colour in colours.items():
        for case, width, dash in (("clean", 1.0, "--"), ("during", 2.0, "-")):
            part = pick(course, what=what, case=case).sort_values("time")
            label = what if case == "during" else None
            ax.plot(part["time"], part["share"], dash, color=colour, lw=width, label=label, drawstyle="steps-post")
            if case == "during":
                ax.fill_between(part["time"], part["low"], part["high"], color=colour, alpha=0.18, lw=0, step="post")
    ax.axvline(0, color=theme.text, lw=0.8)
    ax.set_ylim(0, 1)


def _dumbbells(ax: "Axes", takers: pd.DataFrame, theme: Theme) -> None:
    y = np.arange(len(takers))
    ax.hlines(y, takers["clean"], takers["during"], color=theme.palette[0], lw=1.2)
    ax.errorbar(
        takers["during"], y, xerr=[takers["during"] - takers["low"], takers["high"] - takers["during"]], fmt="o", ms=4,
        color=theme.palette[0], lw=1,
    )  # fmt: skip
    ax.plot(takers["clean"], y, "o", ms=4, color=theme.palette[0], mfc=theme.background)
    ax.set_yticks(y, list(takers["what"]), fontsize=8)
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    ax.set_xlabel("share of the fusion")
