"""Hi-MoE minus each rival that reads physiology, and minus each of its ablations: CCC on clean input, targets averaged, with
the 95% interval over people and seeds. Shaded: the smallest effect of interest of the claim that asks about such a model
(config/claims.yaml); an interval within it is an equivalence, one that reaches across 0 and out of it tells nothing. Words are
of one comparison at a time; a claim of being ahead of all of them asks more (table of claims). Hollow: people share networks of
too few seeds, so that the luck of training is in no interval."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe import registry
from himoe.config.claims import Claim, parse_claims
from himoe.names import STUDIED, model_variant
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import WIDTH, Theme, stacked, width
from himoe.report.text import interval as text_of
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.intervals import interval
from himoe.stats.levels import CLEAN, levels
from himoe.stats.verdicts import CONTRADICTED, EQUIVALENT, FAILED, INCONCLUSIVE, SUPPORTED, decide

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Hi-MoE minus each other model"
SECTION = "comparison"
NEEDS = ("scores", "claims")
REQUIRES = {"models": "himoe"}
FEW = "too few seeds to tell"
WORDS = {SUPPORTED: "ahead", CONTRADICTED: "behind", EQUIVALENT: EQUIVALENT, INCONCLUSIVE: INCONCLUSIVE}
COLUMNS = ["setting", "other", "ablation", "lead", "low", "high", "smallest", "word", "n_subjects", "n_seeds"]


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One panel per data set, one line per rival and ablation."""
    data = _leads(evidence)
    settings = list(dict.fromkeys(data["setting"]))
    figure, axes = stacked([int((data["setting"] == s).sum()) for s in settings])
    for ax, setting in zip(axes, settings, strict=False):
        part = pick(data, setting=setting).reset_index(drop=True)
        _panel(ax, part, theme)
        n_people, n_seeds = part[["n_subjects", "n_seeds"]].iloc[0]
        title = f"{setting_title(setting)} · {n_people} people, {n_seeds} seed{'s' * (n_seeds > 1)}"
        ax.set_title(fill(title, 72), fontsize=8.5)
    axes[-1].set_xlabel("CCC, Hi-MoE minus the other")
    return FigureItem(figure, data, _finding(data))


def _leads(evidence: Evidence) -> pd.DataFrame:
    """Lead over each model with its interval and word; rivals first, within both from the smallest lead to the largest."""
    rows, config = [], evidence.config
    of_model = smallest_effects(parse_claims(evidence.yaml("claims")))
    for setting in evidence.judged:
        fitted = evidence.models_of(setting)
        rivals = [m for m in config.rivals if m in fitted and not registry.peek("models", m).get("BLIND", False)]
        others = [*rivals, *(m for m in fitted if config.kind_of(m) == "ablation")]
        if STUDIED not in fitted or not others:
            continue
        values = levels(pick(evidence.all_scores, setting=setting, condition=CLEAN, model=[STUDIED, *others]))
        few = evidence.has_few_seeds(setting)
        block = []
        for other in others:
            leads, smallest = values[STUDIED] - values[other], of_model.get(other, of_model[STUDIED])
            lead = interval(leads)
            word = FAILED if np.isnan(lead.mean) else FEW if few else WORDS[str(decide(lead.low, lead.high, smallest))]
            block.append([setting, other, other not in rivals, *map(float, lead), smallest, word, *leads.shape])
        rows += sorted(block, key=lambda row: (row[2], np.isnan(row[3]), row[3]))
    return pd.DataFrame(rows, columns=COLUMNS)


def smallest_effects(claims: list[Claim]) -> dict[str, float]:
    """By ablation, the least of the claims that name it; Hi-MoE's own, the least of those about models, for every other."""
    effects: dict[str, float] = {}
    for claim in claims:
        for name in [model_variant(STUDIED, a) for a in claim.ablations] or [STUDIED]:
            effects[name] = min(claim.smallest_effect, effects.get(name, np.inf))
    return effects


def _panel(ax: Axes, part: pd.DataFrame, theme: Theme) -> None:
    colours = {"ahead": theme.accent, "behind": theme.palette[0], EQUIVALENT: theme.palette[1]}
    for y, row in enumerate(part.itertuples()):
        colour = colours.get(row.word, theme.palette[-1])
        ax.barh(y, 2 * row.smallest, left=-row.smallest, height=0.9, color=theme.line, zorder=0)
        ax.hlines(y, row.low, row.high, color=colour, lw=1.6)
        ax.plot(row.lead, y, "o", ms=4.5, color=colour, mfc=theme.background if row.word == FEW else colour)
        label = row.word if width() < WIDTH else f"{text_of(row.lead, row.low, row.high)}  {row.word}"  # no room on a phone
        label = FAILED if row.word == FAILED else label
        ax.text(1.01, y, label, transform=ax.get_yaxis_transform(), ha="left", va="center", fontsize=7.5)
    ax.axvline(0, color=theme.text, lw=0.8)
    ax.grid(axis="y", visible=False)
    ax.set_yticks(range(len(part)), part["other"].map(model_title), fontsize=8)
    ax.set_ylim(len(part) - 0.4, -0.6)


def _finding(data: pd.DataFrame) -> str:
    """How many differences there are of each kind."""
    if data.empty:
        return "No data set has scores of Hi-MoE and of another model."
    counts = data["word"].value_counts()
    counted = ", ".join(f"{counts[w]} {w}" for w in (*WORDS.values(), FEW, FAILED) if w in counts)
    n = data["setting"].nunique()
    return f"Hi-MoE against {len(data)} others in {n} setting{'s' * (n > 1)}, one at a time: {counted}."
