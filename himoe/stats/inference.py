"""Inference over subjects. The subject is the unit; seeds are averaged first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05


def mean_of(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Mean of the column ``value`` by ``keys``; NaN where any of the values is NaN, so that a failed fold is never left out."""
    groups = frame.assign(failed=frame["value"].isna()).groupby(keys, sort=True, as_index=False)
    means = groups.agg(value=("value", "mean"), failed=("failed", "any"))
    return means.assign(value=means["value"].mask(means["failed"])).drop(columns="failed")


def bootstrap_mean(values: np.ndarray, n_bootstrap: int, alpha: float, seed: int) -> tuple[float, float]:
    """Percentile interval of the mean of ``values`` (n_subjects,), subjects resampled with replacement."""
    if len(values) < 2 or np.isnan(values).any():
        return float("nan"), float("nan")
    draws = np.random.default_rng(seed).integers(0, len(values), (n_bootstrap, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [alpha / 2, 1 - alpha / 2])
    return float(low), float(high)


def paired_wilcoxon(difference: np.ndarray) -> float:
    """Two-sided p of paired differences (n_subjects,); 1 where all are zero."""
    from scipy.stats import wilcoxon

    if not np.any(difference) or len(difference) < 2:
        return 1.0
    return float(wilcoxon(difference).pvalue)


def holm(p_values: list[float]) -> list[float]:
    """Holm-adjusted p values in the given order (Holm 1979).

    A NaN, where no test could be made, stays NaN but counts as a test: a rival that fails makes no other test easier.
    """
    from statsmodels.stats.multitest import multipletests

    if not p_values:
        return []
    failed = np.isnan(p_values)
    adjusted = multipletests(np.where(failed, 1.0, p_values), method="holm")[1]
    return np.where(failed, np.nan, adjusted).tolist()


def effect_size(difference: np.ndarray) -> float:
    """Cohen's d of paired differences: mean over standard deviation (n - 1); 0 where there is no spread."""
    spread = np.std(difference, ddof=1) if len(difference) > 1 else 0.0
    return float(np.mean(difference) / spread) if spread > 0 else 0.0


def minimum_detectable_effect(n_subjects: int, alpha: float, power: float = 0.8) -> float:
    """Smallest |d| that a two-sided paired t test of this size finds with this power."""
    from statsmodels.stats.power import TTestPower

    if n_subjects < 3:
        return float("nan")
    return float(TTestPower().solve_power(nobs=n_subjects, alpha=alpha, power=power))


def area_lost(severities: np.ndarray, scores: np.ndarray) -> float:
    """Mean loss of ``scores`` (n,) against the first severity: area of the loss (trapezoids) divided by the range."""
    width = severities[-1] - severities[0]
    return float(np.trapezoid(scores[0] - scores, severities) / width) if width > 0 else 0.0
