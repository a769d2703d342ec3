"""What is left of the CCC under a condition: the level, and the share of the clean level that it is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.stats.intervals import interval
from himoe.stats.levels import CLEAN, levels, share_kept

COLUMNS = [
    "setting", "condition", "model", "start", "left", "kept", "difference", "low", "high", "kept_difference", "kept_low",
    "kept_high", "n_subjects",
]  # fmt: skip


def robustness(scores: pd.DataFrame, model: str = STUDIED) -> pd.DataFrame:
    """Per setting, condition and model: CCC at the mildest severity, its mean over the others, the share kept, and level and
    share of ``model`` minus each other's, paired over people, with 95% intervals. NaN where a fold failed."""
    rows = []
    perturbed = scores[scores["condition"] != CLEAN]
    for (setting, condition), part in perturbed.groupby(["setting", "condition"], sort=True):
        start, left = levels(part, condition=condition, at="mildest"), levels(part, condition=condition)
        kept = {name: share_kept(left[name], start[name]) for name in left}
        for other in left:
            gaps = [np.nan] * 6
            if model in left and other != model:
                gaps = [float(v) for of in (left, kept) for v in interval(of[model] - of[other])]
            means = [float(of[other].mean()) for of in (start, left, kept)]
            rows.append([setting, condition, other, *means, *gaps, len(left[other])])
    return pd.DataFrame(rows, columns=COLUMNS)
