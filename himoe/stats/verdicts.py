"""How a claim "ahead of every one of these" is judged: one number, one interval, one word.

The number is the smallest lead over any rival. Its interval reaches from the lowest of the lower bounds, each at 95%, to the
lowest of the upper bounds, each at Bonferroni's level for so many rivals. So a claim of a lead over all of them is an
intersection-union test, which needs no correction (Berger 1982), and a claim that one of them is ahead is corrected.
"Predicting nothing" (CCC 0) is always among the rivals: a model that predicts nothing is ahead of nobody.

Axes: leads are (..., n_people, n_seeds, n_rivals); what is before is carried along, so that simulated runs are judged at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from himoe.stats.intervals import ALPHA, interval
from himoe.stats.levels import share_kept

SUPPORTED, CONTRADICTED, EQUIVALENT, INCONCLUSIVE = "supported", "contradicted", "equivalent", "inconclusive"
UNTESTABLE, NOT_RUN, FAILED = "untestable on this data", "not run", "failed"
NOTHING = "predicting nothing"  # CCC 0: always among the rivals
WORDS = (SUPPORTED, CONTRADICTED, EQUIVALENT, INCONCLUSIVE)


class Lead(NamedTuple):
    """The smallest lead over any rival (...) with its bounds, and which rival it is (index)."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    closest: np.ndarray


def smallest_lead(leads: np.ndarray) -> Lead:
    """Of ``leads`` (..., n_people, n_seeds, n_rivals)."""
    each = np.moveaxis(np.asarray(leads, float), -1, 0)  # (n_rivals, ..., n_people, n_seeds)
    one_sided, corrected = interval(each), interval(each, ALPHA / len(each))
    return Lead(each.mean((-2, -1)).min(0), one_sided.low.min(0), corrected.high.min(0), one_sided.low.argmin(0))


def decide(low: np.ndarray, high: np.ndarray, smallest: float) -> np.ndarray:
    """The word for each interval; ``smallest`` is the smallest effect of interest.

    Wholly within it: equivalent. Else wholly above 0: supported, wholly below: contradicted. Else inconclusive.
    """
    within = (np.asarray(low) > -smallest) & (np.asarray(high) < smallest)
    return np.select([within, np.asarray(low) > 0, np.asarray(high) < 0], [EQUIVALENT, SUPPORTED, CONTRADICTED], INCONCLUSIVE)


def keeps_less(studied: tuple[np.ndarray, np.ndarray], rival: tuple[np.ndarray, np.ndarray], n_rivals: int = 1) -> bool:
    """Whether the share kept, of (level, clean) each, is below that of a rival which begins as high: Bonferroni's interval
    below 0.

    A model with little to lose keeps much of it, and says nothing of one that begins higher.
    """
    if rival[1].mean() < studied[1].mean():
        return False
    return bool(interval(share_kept(*studied) - share_kept(*rival), ALPHA / n_rivals).high < 0)
