"""Rows of a table by what stands in their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def pick(frame: pd.DataFrame, **wanted: Any) -> pd.DataFrame:
    """Rows in which each named column equals the value given, or one of the values of a list."""
    keep = np.ones(len(frame), bool)
    for column, value in wanted.items():
        keep &= (frame[column].isin(value) if isinstance(value, list) else frame[column] == value).to_numpy()
    return frame[keep]


def complete(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of trials (``subject``, ``trial``) that every ``seed`` of the frame has: those of a fold that failed under one seed
    are left out under all."""
    n_seeds = frame.groupby(["subject", "trial"])["seed"].transform("nunique")
    return frame[n_seeds == frame["seed"].nunique()]
