"""What this run could have seen. For each claim, the chance that it would be called supported if Hi-MoE were truly ahead of
every model it must be ahead of by the lead along x, all of them level: simulated with the people, seeds, rivals and spread of
this run, and judged by the rule that judges the run. At a lead of 0 the line is the chance of a false alarm where all rivals
are level, which is below that of the table of claims, where one is level and the others are far behind. The dot is the lead
that is seen with a chance of 80%, the dashed line the smallest effect of interest: a dot right of it says that an effect of
interest may have been missed. No lead is seen where Hi-MoE's own CCC is not shown to be above 0: predicting nothing is among
the rivals. Claims that lack data, models or labels have no line; where the network adds nothing or nothing is lost, the line
says what would have been seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.config.claims import parse_claims
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.judge import design_of
from himoe.report.style import Theme, empty_panel, small_multiples, title_small
from himoe.report.text import number
from himoe.report.titles import setting_title
from himoe.stats.characteristics import POWER, chances
from himoe.stats.frames import pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "What could this run have seen?"
SECTION = "trust"
NEEDS = ("scores", "claims", "runs")
LEADS = np.round(np.arange(0, 0.2001, 0.005), 3)  # along x
FAR = 2.0  # CCC: a lead that is seen if any is
COLUMNS = ["setting", "claim", "lead", "chance", "smallest", "n_people", "n_seeds", "n_rivals", "can_be_seen"]


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """A block per data set, a panel per claim that is judged there."""
    data = _chances(evidence)
    settings = list(dict.fromkeys(data["setting"])) or evidence.settings[:1]
    figure, blocks = small_multiples([max(pick(data, setting=s)["claim"].nunique(), 1) for s in settings])
    findings = []
    for (block, axes), setting in zip(blocks, settings, strict=True):
        here = pick(data, setting=setting)
        if here.empty:
            empty_panel(axes[0], "", theme)
            findings.append(f"{setting_title(setting)}: no claim is judged by scores.")
            continue
        for ax, (claim, part) in zip(axes, here.groupby("claim", sort=False), strict=True):
            _panel(ax, part, theme)
            title_small(ax, str(claim), f"80%: {_seen(part)}")
        n_people, n_seeds = here[["n_people", "n_seeds"]].iloc[0]
        who = f"{setting_title(setting)} ({n_people} people, {n_seeds} seed{'s' * (n_seeds > 1)})"
        findings.append(f"{who}: {_finding(here, evidence.has_few_seeds(setting))}.")
        block.suptitle(who, x=0.01, ha="left", fontsize=9)
        block.supylabel("chance of “supported”", fontsize=8.5)
        block.supxlabel("true lead over every rival, CCC", fontsize=8.5)
    return FigureItem(figure, data, " ".join(findings))


def _chances(evidence: Evidence) -> pd.DataFrame:
    """One row per setting, claim and lead; 0 where no lead would do, as people share networks of too few seeds."""
    settings, rows = evidence.config.statistics, []
    for setting in evidence.judged:
        for claim in parse_claims(evidence.yaml("claims")):
            if not (found := design_of(evidence, setting, claim)):
                continue
            design, level = found
            seen, can_be_seen = np.zeros(len(LEADS)), False
            if not evidence.has_few_seeds(setting):
                at = np.append(LEADS, FAR)
                found_at = chances(design, claim.smallest_effect, at, settings.simulations, settings.seed, level)
                seen, can_be_seen = found_at[:-1], bool(found_at[-1] >= POWER)
            of = (claim.smallest_effect, design.n_people, design.n_seeds, len(design.spread.rest) - 1, can_be_seen)
            rows += [(setting, claim.id, lead, chance, *of) for lead, chance in zip(LEADS, seen, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _panel(ax: Axes, part: pd.DataFrame, theme: Theme) -> None:
    ax.plot(part["lead"], part["chance"], color=theme.accent, lw=1.6)
    ax.axvline(part["smallest"].iloc[0], color=theme.text, lw=0.8, ls="--")
    if len(seen := part[part["chance"] >= POWER]):
        ax.plot(seen["lead"].iloc[0], seen["chance"].iloc[0], "o", ms=4, color=theme.accent)
    ax.set(xlim=(0, LEADS[-1]), ylim=(-0.03, 1.03), xticks=[0, 0.1, 0.2], yticks=[0, 0.5, 1])
    ax.tick_params(labelsize=8)


def _seen(part: pd.DataFrame) -> str:
    """The least lead along x that is seen with a chance of 80%; none does where Hi-MoE's own CCC is not shown to be above 0."""
    seen = part[part["chance"] >= POWER]["lead"]
    if len(seen):
        return number(seen.min())
    return f"over {number(LEADS[-1], 1)}" if part["can_be_seen"].iloc[0] else "no lead"


def _finding(here: pd.DataFrame, few_seeds: bool) -> str:
    """What each claim's design sees; which would miss an effect of interest."""
    if few_seeds:
        return "no lead would do: people share networks of too few seeds"
    parts = [f"{claim} {_seen(part)}" for claim, part in here.groupby("claim", sort=False)]
    at_smallest = here[here["lead"] >= here["smallest"] - 1e-9].groupby("claim", sort=False)["chance"].first()
    blind = list(at_smallest.index[at_smallest < POWER])
    missed = f"; {', '.join(blind)} may miss an effect of interest" if blind else "; no effect of interest would be missed"
    return f"a lead seen with 80% chance: {', '.join(parts)}{missed}"
