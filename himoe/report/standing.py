"""Where Hi-MoE stands among the models of a setting: its rank by the mean, whom it is ahead of, behind, and neither; which
models are not told apart from the best one. Each difference is judged by its own 95% interval over people and seeds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from himoe.names import STUDIED
from himoe.report.text import interval, listed
from himoe.report.titles import model_title
from himoe.stats.intervals import ALPHA
from himoe.stats.intervals import interval as interval_of
from himoe.stats.levels import Levels
from himoe.stats.sides import SIDES, side_of

AS_HIGHEST = " (interval as of the highest of all)"  # wider: it was picked for being so


class Against(NamedTuple):
    """Hi-MoE's CCC less another model's: mean, interval, and what it says."""

    model: str
    lead: float
    low: float
    high: float
    side: str


def against(competing: Levels) -> list[Against]:
    """Hi-MoE against every other model, in their order."""
    out = []
    for other, values in competing.items():
        if other != STUDIED:
            lead, low, high = map(float, interval_of(competing[STUDIED] - values))
            out.append(Against(other, lead, low, high, side_of(low, high)))
    return out


def rank(competing: Levels) -> int:
    """Hi-MoE's place by the mean, 1 the best."""
    return 1 + sum(values.mean() > competing[STUDIED].mean() for values in competing.values())


def best(competing: Levels, lower: bool = False) -> tuple[str, list[str]]:
    """The model with the best mean, and those whose difference from it has an interval that holds 0: a tie; ``lower`` is better
    of an error. The best was picked by these values, so that all its differences hold together (Bonferroni)."""
    sign = -1.0 if lower else 1.0
    first = max(competing, key=lambda m: sign * float(competing[m].mean()))
    alpha = ALPHA / max(len(competing) - 1, 1)
    gaps = {m: interval_of(sign * (competing[first] - values), alpha) for m, values in competing.items() if m != first}
    return first, [m for m, gap in gaps.items() if not gap.low > 0]


def stands(competing: Levels, names: int = 4) -> str:
    """Hi-MoE's CCC, rank, and how many models it is ahead of, behind and neither; a side of few is named."""
    sides = []
    for side, words in SIDES.items():
        there = [model_title(a.model) for a in against(competing) if a.side == side]
        few = f" ({listed(there)})" if 0 < len(there) <= names else ""
        sides.append(f"{words} {len(there) or 'none'}{few}")
    low, high = map(float, interval_of(competing[STUDIED])[1:])
    level = interval(float(competing[STUDIED].mean()), low, high, 2)
    return f"{ordinal(rank(competing))} of {len(competing)} by mean CCC on clean input, {level}: {', '.join(sides)}."


def predicts(competing: Levels) -> str:
    """The best model, those that are not told apart from it, and that nothing is shown to predict where nothing is: the highest
    of so many means is above 0 by chance, so its interval is as wide as that asks (Bonferroni)."""
    first, tied = best(competing)
    mean, low, high = map(float, interval_of(competing[first], ALPHA / len(competing)))
    if not low > 0:
        return f"no model is shown to: the highest CCC, {model_title(first)}'s, is {interval(mean, low, high, 2)}{AS_HIGHEST}."
    few = listed([model_title(m) for m in tied]) if len(tied) <= 4 else f"{len(tied)} of the other {len(competing) - 1}"
    behind = f"; not told apart from it: {few}" if tied else ", ahead of all others"
    return f"{model_title(first)}, CCC {interval(mean, low, high, 2)}{AS_HIGHEST}{behind}."


def without_score(failed: list[str]) -> str:
    """A sentence about models of which a fold diverged; empty if there is none."""
    names = listed([model_title(m) for m in failed])
    return f" Without a score, as a fold diverged: {names}." if failed else ""


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 4th."""
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{n}{'th' if n % 100 in (11, 12, 13) else ends.get(n % 10, 'th')}"


def finite(value: float) -> float | None:
    """A number for JSON; null for what does not exist."""
    return round(float(value), 6) if np.isfinite(value) else None
