"""Whether predictions mean what they say: the line of labels on predictions, and labels in bins of predictions.

Axes: n rows of one model; P people, S seeds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from himoe.stats.intervals import Interval, interval
from himoe.stats.levels import share_kept


class Line(NamedTuple):
    """``slope`` of labels on predictions, 1 where they vary as much as they say; ``level``: what is to be added to a prediction
    of the middle of the scale, 0 where none is. Intervals over people and seeds."""

    slope: Interval
    level: Interval
    n_people: int


def less_reference(predicted: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Predictions (n,) as if every fold had the same training mean ``reference`` (n,): the mean of the others is low where a
    person rates high, a slope below 0 that no model can help."""
    return predicted - reference + reference.mean()


def line(rows: pd.DataFrame, middle: float) -> Line:
    """The least-squares line through all rows (``subject``, ``seed``, ``y_true``, ``predicted``); people weigh the same.

    It is a ratio of means over people, b = mean c / mean v, and its interval that of c and v as one value per person and seed
    (its linearisation, :func:`himoe.stats.levels.share_kept`)::

        c = E[(y - mean y)(p - mean p)],  v = E[(p - mean p)^2],  level = (mean y - middle) - b (mean p - middle)
    """
    means = _tables(rows.assign(y=rows["y_true"], p=rows["predicted"]), ["y", "p"])
    mean_y, mean_p = means["y"].mean(), means["p"].mean()
    y, p = rows["y_true"] - mean_y, rows["predicted"] - mean_p
    products = _tables(rows.assign(c=y * p, v=p**2), ["c", "v"])
    slope = share_kept(products["c"], products["v"])
    b = slope.mean()
    level = means["y"] - middle - b * (means["p"] - middle) - (mean_p - middle) * (slope - b)
    return Line(interval(slope), interval(level), len(slope))


def bins(rows: pd.DataFrame, n_bins: int) -> pd.DataFrame:
    """Mean prediction and label (``predicted``, ``y_true``) of equally filled bins of predictions, and how many rows each has;
    predictions that are equal stay together."""
    number = pd.qcut(rows["predicted"].rank(method="average"), n_bins, labels=False, duplicates="drop")
    groups = rows.groupby(number.fillna(0).astype(int).to_numpy())
    return groups.agg(predicted=("predicted", "mean"), y_true=("y_true", "mean"), n=("y_true", "size")).reset_index(drop=True)


def _tables(rows: pd.DataFrame, columns: list[str]) -> dict[str, np.ndarray]:
    """Column -> means (P, S) of people whom every seed has."""
    means = rows.groupby(["subject", "seed"])[columns].mean().astype(float).unstack("seed").dropna()
    return {column: means[column].to_numpy() for column in columns}
