"""Area lost under the curve of CCC against severity, per subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.stats.frames import pick
from himoe.stats.inference import ALPHA, area_lost, bootstrap_mean, mean_of

if TYPE_CHECKING:
    from himoe.config.sections import Statistics

COLUMNS = ["setting", "condition", "model", "start", "lost", "difference", "low", "high", "n_subjects"]


def areas(scores: pd.DataFrame) -> pd.DataFrame:
    """Per setting, condition, model and subject: CCC at the mildest severity and mean CCC lost (targets, seeds averaged)."""
    perturbed = pick(scores, metric="ccc")
    perturbed = perturbed[perturbed["condition"] != "clean"]
    keys = ["setting", "condition", "model", "subject"]
    rows = []
    for key, part in mean_of(perturbed, [*keys, "severity"]).groupby(keys, sort=True):
        severities, values = part["severity"].to_numpy(), part["value"].to_numpy()
        rows.append((*key, values[0], area_lost(severities, values)))
    return pd.DataFrame(rows, columns=[*keys, "start", "lost"])


def compare_areas(lost: pd.DataFrame, settings: Statistics, model: str = STUDIED) -> pd.DataFrame:
    """Means over subjects, and ``model``'s loss minus each other's, paired, with a bootstrap interval.

    NaN where a fold failed.
    """
    rows = []
    for (setting, condition), part in lost.groupby(["setting", "condition"], sort=True):
        wide = part.pivot(index="subject", columns="model", values="lost")
        start = part.pivot(index="subject", columns="model", values="start").mean(skipna=False)
        for other in wide.columns:
            gap = [np.nan] * 3
            if model in wide and other != model:
                difference = (wide[model] - wide[other]).to_numpy()
                gap = [difference.mean(), *bootstrap_mean(difference, settings.n_bootstrap, ALPHA, settings.seed)]
            rows.append([setting, condition, other, start[other], wide[other].mean(skipna=False), *gap, len(wide)])
    return pd.DataFrame(rows, columns=COLUMNS)
