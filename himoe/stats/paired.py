"""Hi-MoE against every other model, paired over subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.stats.frames import pick
from himoe.stats.inference import ALPHA, bootstrap_mean, effect_size, holm, mean_of, minimum_detectable_effect, paired_wilcoxon

if TYPE_CHECKING:
    from himoe.config.sections import Statistics

COLUMNS = [
    "setting", "target", "other", "metric", "difference", "low", "high", "p", "d", "detectable_d", "n_subjects",
    "p_holm",
]  # fmt: skip
P = COLUMNS.index("p")


def compare(
    scores: pd.DataFrame, metric: str, of: list[str], settings: Statistics, model: str = STUDIED
) -> pd.DataFrame:  # fmt: skip
    """One row per setting (``of`` names those wanted), target and other model, clean input; Holm over the other models.

    Where a fold of either failed the row is NaN.
    """
    means = mean_of(pick(scores, condition="clean", metric=metric), ["setting", "target", "model", "subject"])
    rows = []
    for (setting, target), part in means.groupby(["setting", "target"], sort=True):
        wide = part.pivot(index="subject", columns="model", values="value")
        if setting not in of or model not in wide:
            continue
        others = [m for m in wide.columns if m != model]
        tests = [[setting, target, other, metric, *_test(wide[model] - wide[other], settings)] for other in others]
        adjusted = holm([test[P] for test in tests])
        rows += [[*test, p] for test, p in zip(tests, adjusted, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _test(paired: pd.Series, settings: Statistics) -> list[float]:
    """From ``difference`` to ``n_subjects`` of COLUMNS, of one difference per subject."""
    difference = paired.to_numpy()
    n = len(difference)
    if np.isnan(difference).any():  # no test on the subjects that are left
        return [*[np.nan] * 6, n]
    low, high = bootstrap_mean(difference, settings.n_bootstrap, ALPHA, settings.seed)
    p, d = paired_wilcoxon(difference), effect_size(difference)
    return [float(np.mean(difference)), low, high, p, d, minimum_detectable_effect(n, ALPHA), n]
