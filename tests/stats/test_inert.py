"""A network that only repeats its read-out is found; one that adds to it, or failed, is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from himoe.stats.inert import COLUMNS, inert

KEYS = {"setting": "d", "seed": 0, "condition": "clean"}
LINEAR = np.array([0.0, 1.0, 2.0, 3.0])


def tables(model, fold, predicted):
    """Four trials of two tokens each; the read-out says LINEAR of valence (part 0)."""
    trials = [f"t{i}" for i in range(4)]
    routing = pd.DataFrame({"trial": trials, "quantity": "readout", "part": "0", "value": LINEAR})
    rows = pd.DataFrame({"trial": np.repeat(trials, 2), "target": "valence", "y_pred": np.asarray(predicted, float)})
    return [frame.assign(**KEYS, model=model, fold=fold, subject=f"s{fold}") for frame in (rows, routing)]


def test_who_adds_nothing():
    """``same``: trial means 5, 7, 9, 11 in one fold (2 x + 5) and x in the other: correlation 1 in each, though not over both.
    ``more``: means 0, 1, 3, 2 against 0, 1, 2, 3: 1 - 6 x 2 / (4 x 15) = 0.8. ``lost``: a fold failed."""
    parts = [
        tables("same", 0, [4, 6, 6, 8, 8, 10, 10, 12]), tables("same", 1, np.repeat(LINEAR, 2)),
        tables("more", 0, np.repeat([0, 1, 3, 2], 2)), tables("lost", 0, np.repeat(LINEAR, 2)), tables("lost", 1, [np.nan] * 8),
    ]  # fmt: skip
    predictions, routing = (pd.concat(frames) for frames in zip(*parts, strict=True))
    found = inert(predictions, routing, {"d": ("valence", "arousal")})
    assert list(found.columns) == COLUMNS
    assert found[["model", "target"]].to_numpy().tolist() == [["more", "valence"], ["same", "valence"]]
    assert found["correlation"].tolist() == pytest.approx([0.8, 1.0])
    assert found["inert"].tolist() == [False, True]


def test_without_a_readout_there_is_nothing_to_say():
    predictions, routing = tables("plain", 0, np.repeat(LINEAR, 2))
    assert inert(predictions, routing.assign(quantity="modality_share"), {"d": ("valence",)}).empty
