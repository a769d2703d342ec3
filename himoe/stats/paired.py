"""Hi-MoE against every other model, paired over subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.stats.inference import ALPHA, bootstrap_mean, effect_size, holm, mean_of, minimum_detectable_effect, paired_wilcoxon

if TYPE_CHECKING:
    from himoe.config.sections import Statistics

COLUMNS = [
    "setting", "target", "other", "metric", "difference", "low", "high", "p", "d", "detectable_d", "n_subjects",
    "p_holm",
]  # fmt: skip


def compare(
    scores: pd.DataFrame, metric: str, of: list[str], settings: Statistics, model: str = STUDIED
) -> pd.DataFrame:  # fmt: skip
    """One row per setting (``of`` names those wanted), target and other model, clean input; Holm over the other models.

    Where a fold of either failed the row is NaN.
    """
    clean = scores[(scores["condition"] == "clean") & (scores["metric"] == metric)]
    keys = ["setting", "target", "model", "subject"]
    own = mean_of(clean, keys)
    rows = []
    for key, part in own.groupby(["setting", "target"], sort=True):
        wide = part.pivot(index="subject", columns="model", values="value")
        if key[0] not in of or model not in wide:
            continue
        block = []
        for other in [m for m in wide.columns if m != model]:
            difference = (wide[model] - wide[other]).to_numpy()
            n = len(difference)
            if np.isnan(difference).any():  # a fold of either failed: no test on the subjects that are left
                block.append([*key, other, metric, *[np.nan] * 6, n])
                continue
            low, high = bootstrap_mean(difference, settings.n_bootstrap, ALPHA, settings.seed)
            detectable = minimum_detectable_effect(n, ALPHA)
            p, d = paired_wilcoxon(difference), effect_size(difference)
            block.append([*key, other, metric, float(np.mean(difference)), low, high, p, d, detectable, n])
        adjusted = holm([row[7] for row in block])
        rows += [[*row, p] for row, p in zip(block, adjusted, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS)
