"""Columns of numbers from a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from himoe.types import HimoeError

if TYPE_CHECKING:
    import pandas as pd


def read_columns(path: Path, names: Sequence[str], **how: Any) -> pd.DataFrame:
    """The columns ``names`` as float64, NaN where a field is empty; ``how`` is pandas' own.

    Raises
    ------
    HimoeError
        If a column is absent, or holds words or truth values.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(path, **how)[list(names)]
        refuse_truth(frame)
        return frame.astype(float)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HimoeError(f"{path}: expected columns {', '.join(names)} of numbers ({error})") from error


def refuse_truth(frame: pd.DataFrame) -> None:
    """ValueError naming a column that holds true and false, of which pandas would make 1 and 0."""
    for name, column in frame.items():
        if column.dtype.kind in "bO" and column.map(type).eq(bool).any():
            raise ValueError(f"{name} holds true and false")
