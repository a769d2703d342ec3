"""Means that keep what failed, corrections, effect sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


ROUNDING = 1e-12  # scores that differ by no more are equal


def mean_of(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Mean of the column ``value`` by ``keys``; NaN where any of the values is NaN, so that a failed fold is never left out."""
    groups = frame.assign(failed=frame["value"].isna()).groupby(keys, sort=True, as_index=False)
    means = groups.agg(value=("value", "mean"), failed=("failed", "any"))
    return means.assign(value=means["value"].mask(means["failed"])).drop(columns="failed")


def holm(p_values: list[float]) -> list[float]:
    """Holm-adjusted p values in the given order (Holm 1979).

    A NaN, where no test could be made, stays NaN but counts as a test: a rival that fails makes no other test easier.

    Parameters
    ----------
    p_values
        Of tests that are made together.

    Returns
    -------
    list of float
        The smallest times their number, the next times one less, and on, never falling.

    Examples
    --------
    >>> import himoe
    >>> [round(p, 3) for p in himoe.stats.holm([0.03, 0.01, 0.04])]  # 2 * .03, 3 * .01, not below .06
    [0.06, 0.03, 0.06]
    """
    from statsmodels.stats.multitest import multipletests

    if not p_values:
        return []
    failed = np.isnan(p_values)
    adjusted = multipletests(np.where(failed, 1.0, p_values), method="holm")[1]
    return np.where(failed, np.nan, adjusted).tolist()


def effect_size(difference: np.ndarray) -> float:
    """Cohen's d of paired differences: mean over standard deviation (n - 1); 0 without spread but that of rounding."""
    spread = np.std(difference, ddof=1) if len(difference) > 1 else 0.0
    return float(np.mean(difference) / spread) if spread > ROUNDING else 0.0
