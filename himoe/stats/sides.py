"""On which side of 0 a lead is, one comparison at a time."""

from __future__ import annotations

import numpy as np

from himoe.stats.intervals import Interval

AHEAD, BEHIND, UNDECIDED, FAILED = "ahead", "behind", "undecided", "failed"


def side(lead: Interval) -> str:
    """``ahead`` where the interval is above 0, ``behind`` where it is below, ``undecided`` where it holds 0; ``failed`` where a
    fold diverged and left no mean."""
    if np.isnan(lead.mean):
        return FAILED
    return AHEAD if lead.low > 0 else BEHIND if lead.high < 0 else UNDECIDED
