"""Scores of a table as arrays (n_people, n_seeds), targets averaged: what intervals and verdicts are made from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from himoe.names import CLEAN
from himoe.stats.frames import pick
from himoe.stats.inference import mean_of
from himoe.stats.intervals import interval

Levels = dict[str, np.ndarray]
POOLED = "(pooled)"  # the subject of rows over all people at once
SMALL = 1e-12
BOUNDS = {  # what a metric whose name ends so can be: an interval beyond it is cut there, and covers as often
    "ccc": (-1.0, 1.0), "pcc": (-1.0, 1.0), "skill": (-np.inf, 1.0), "rmse": (0.0, np.inf), "constant": (0.0, 1.0),
}  # fmt: skip


def levels(scores: pd.DataFrame, metric: str = "ccc", condition: str = CLEAN, at: str = "beyond") -> Levels:
    """Model -> its values (n_people, n_seeds), of one setting's ``scores``; targets averaged; NaN where a fold failed.

    Under a condition: mean over its severities beyond the mildest, the level that is left, or ``at="mildest"`` the input as it
    is without the ends that the strongest severity cuts. ``skill`` is that of :func:`skill_of_sums`, target by target.

    Raises
    ------
    ValueError
        If a model lacks a person or a seed that another has.
    """
    return {model: table.to_numpy(float) for model, table in _paired(_tables(scores, metric, condition, at)).items()}


def means_with_intervals(
    scores: pd.DataFrame, models: Sequence[str], metrics: Sequence[str]
) -> dict[str, dict[str, float]]:  # fmt: skip
    """Model -> ``{metric: mean, metric_low: ..., metric_high: ...}`` for these metrics on clean input, from one setting's
    scores, each model over its own people and seeds; NaN where it has no such score."""
    names = [name for metric in metrics for name in (metric, f"{metric}_low", f"{metric}_high")]
    found = {model: dict.fromkeys(names, float("nan")) for model in models}
    of_models = pick(scores, model=list(models))
    for metric in metrics:
        for model, table in _tables(of_models, metric).items():
            low, high = next((bounds for end, bounds in BOUNDS.items() if metric.endswith(end)), (-np.inf, np.inf))
            row = map(float, np.clip(interval(table.to_numpy(float)), low, high))
            found[model] |= zip((metric, f"{metric}_low", f"{metric}_high"), row, strict=True)
    return found


def _tables(scores: pd.DataFrame, metric: str, condition: str = CLEAN, at: str = "beyond") -> dict[str, pd.DataFrame]:
    """Model -> values by subject and seed, both sorted: what :func:`levels` gives as arrays."""
    rows = scores[(scores["condition"] == condition) & (scores["subject"] != POOLED)]
    if condition != CLEAN:
        first = rows["severity"].min()
        rows = rows[rows["severity"] == first] if at == "mildest" else rows[rows["severity"] > first]
    if not metric.endswith("skill"):
        return _by_model(pick(rows, metric=metric))
    error_name = metric.removesuffix("skill") + "rmse"  # raw_skill: of raw_rmse
    each: dict[str, list[pd.DataFrame]] = {}
    for _, part in rows.groupby("target"):
        errors, references = (
            _by_model(pick(part, metric=m).assign(value=lambda f: f["value"] ** 2)) for m in (error_name, "reference_rmse")
        )
        for model, error in errors.items():
            skill = skill_of_sums(error.to_numpy(float), references[model].to_numpy(float))
            each.setdefault(model, []).append(pd.DataFrame(skill, error.index, error.columns))
    if len({len(of_targets) for of_targets in each.values()}) > 1:
        raise ValueError(f"{metric}: some models have scores of targets that others lack")
    return {model: sum(of_targets[1:], of_targets[0]) / len(of_targets) for model, of_targets in each.items()}


def _by_model(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    means = mean_of(rows, ["model", "subject", "seed"])
    return {str(m): part.pivot(index="subject", columns="seed", values="value") for m, part in means.groupby("model")}


def _paired(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The same, once all models have the same people and seeds."""
    for model, table in tables.items():
        name, first = next(iter(tables.items()))
        if not (table.index.equals(first.index) and table.columns.equals(first.columns)):
            raise ValueError(f"{model}: scores of other people or seeds than those of {name}")
    return tables


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
