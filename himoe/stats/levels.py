"""Scores of a table as arrays (n_people, n_seeds), targets averaged: what intervals and verdicts are made from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from himoe.stats.frames import pick
from himoe.stats.inference import mean_of
from himoe.stats.intervals import interval

Levels = dict[str, np.ndarray]
CLEAN = "clean"
POOLED = "(pooled)"  # the subject of rows over all people at once
SMALL = 1e-12


def levels(scores: pd.DataFrame, metric: str = "ccc", condition: str = CLEAN, at: str = "beyond") -> Levels:
    """Model -> its values (n_people, n_seeds), of one setting's ``scores``; targets averaged; NaN where a fold failed.

    Under a condition: mean over its severities beyond the mildest, the level that is left, or ``at="mildest"`` the input as it
    is without the ends that the strongest severity cuts. ``skill`` is that of :func:`skill_of_sums`, target by target.

    Raises
    ------
    ValueError
        If a model lacks a person or a seed that another has.
    """
    rows = scores[(scores["condition"] == condition) & (scores["subject"] != POOLED)]
    if condition != CLEAN:
        first = rows["severity"].min()
        rows = rows[rows["severity"] == first] if at == "mildest" else rows[rows["severity"] > first]
    if not metric.endswith("skill"):
        return _arrays(pick(rows, metric=metric))
    each, error_name = [], metric.removesuffix("skill") + "rmse"  # raw_skill: of raw_rmse
    for _, part in rows.groupby("target"):
        error, reference = (
            _arrays(pick(part, metric=m).assign(value=lambda f: f["value"] ** 2)) for m in (error_name, "reference_rmse")
        )
        each.append({model: skill_of_sums(error[model], reference[model]) for model in error})
    return {model: np.mean([one[model] for one in each], axis=0) for model in each[0]} if each else {}


def with_interval(scores: pd.DataFrame, model: str, metric: str) -> dict[str, float]:
    """``{metric: mean, metric_low: ..., metric_high: ...}`` of one model on clean input, from one setting's scores; NaN
    without any."""
    values = levels(pick(scores, model=model), metric).get(model, np.full((0, 1), np.nan))
    found = interval(values) if len(values) else (np.nan,) * 3
    return dict(zip((metric, f"{metric}_low", f"{metric}_high"), map(float, found), strict=True))


def _arrays(rows: pd.DataFrame) -> Levels:
    """Model -> (n_people, n_seeds), both in sorted order."""
    tables: dict[str, pd.DataFrame] = {}
    for model, part in mean_of(rows, ["model", "subject", "seed"]).groupby("model"):
        tables[str(model)] = part.pivot(index="subject", columns="seed", values="value")
    for model, table in tables.items():
        name, first = next(iter(tables.items()))
        if not (table.index.equals(first.index) and table.columns.equals(first.columns)):
            raise ValueError(f"{model}: scores of other people or seeds than those of {name}")
    return {model: table.to_numpy(float) for model, table in tables.items()}


def skill_of_sums(error: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """1 - sum of squared errors / sum of those of the training mean, over people: one person whose ratings hardly vary does
    not decide
    it. As one value per person and seed, (n_people, n_seeds), whose mean is that skill (its linearisation).

    ``error`` and ``reference``: mean squared errors, (n_people, n_seeds).
    """
    total = np.maximum(reference.mean((-2, -1), keepdims=True), SMALL)
    ratio = error.mean((-2, -1), keepdims=True) / total
    return 1 - ratio - (error - ratio * reference) / total


def share_kept(left: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Mean of ``left`` over mean of ``clean``, as one value per person and seed whose mean is that share (its linearisation).
    NaN unless
    the mean of ``clean`` is above 0. Both (..., n_people, n_seeds).
    """
    mean = clean.mean((-2, -1), keepdims=True)
    mean = np.where(mean > 0, mean, np.nan)
    share = left.mean((-2, -1), keepdims=True) / mean
    return share + (left - share * clean) / mean
