"""On which side of 0 a lead is, one comparison at a time."""

from __future__ import annotations

import numpy as np

from himoe.stats.intervals import Interval

AHEAD, BEHIND, UNDECIDED, FAILED = "ahead", "behind", "undecided", "failed"

SIDES = {AHEAD: "ahead of", BEHIND: "behind", UNDECIDED: "undecided against"}


def side_of(low: float, high: float) -> str:
    """What an interval of a lead says: above 0, below 0, or neither."""
    return AHEAD if low > 0 else BEHIND if high < 0 else UNDECIDED


def side(lead: Interval) -> str:
    """``ahead`` where the interval is above 0, ``behind`` where it is below, ``undecided`` where it holds 0; ``failed`` where a
    fold diverged and left no mean."""
    return FAILED if np.isnan(lead.mean) else side_of(float(lead.low), float(lead.high))
