"""Hi-MoE against every other model, paired over subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.stats.inference import ALPHA, bootstrap_mean, effect_size, holm, minimum_detectable_effect, paired_wilcoxon

if TYPE_CHECKING:
    from himoe.settings import Statistics

COLUMNS = [
    "setting", "target", "other", "metric", "difference", "low", "high", "p", "d", "detectable_d", "n_subjects",
    "p_holm",
]  # fmt: skip


def compare(
    scores: pd.DataFrame, metric: str, of: list[str], settings: Statistics, model: str = "himoe"
) -> pd.DataFrame:  # fmt: skip
    """One row per setting (``of`` names those wanted), target and other model, clean input; Holm over the other models."""
    clean = scores[(scores["condition"] == "clean") & (scores["metric"] == metric)]
    keys = ["setting", "target", "model", "subject"]
    own = clean.groupby(keys, as_index=False, sort=True)["value"].mean()
    rows = []
    for key, part in own.groupby(["setting", "target"], sort=True):
        wide = part.pivot_table(index="subject", columns="model", values="value")
        if key[0] not in of or model not in wide:
            continue
        block = []
        for other in [m for m in wide.columns if m != model]:
            difference = (wide[model] - wide[other]).dropna().to_numpy()
            low, high = bootstrap_mean(difference, settings.n_bootstrap, ALPHA, settings.seed)
            n = len(difference)
            detectable = minimum_detectable_effect(n, ALPHA)
            p, d = paired_wilcoxon(difference), effect_size(difference)
            block.append([*key, other, metric, float(np.mean(difference)), low, high, p, d, detectable, n])
        adjusted = holm([row[7] for row in block])
        rows += [[*row, p] for row, p in zip(block, adjusted, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS)
