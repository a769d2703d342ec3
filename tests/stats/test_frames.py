"""Rows picked by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from himoe.stats.frames import complete, pick

FRAME = pd.DataFrame(
    {"model": ["a", "a", "b", "c"], "severity": [0.0, 1.0, 0.0, 1.0], "value": [1, 2, 3, 4]}, index=[7, 7, 8, 9]
)


@pytest.mark.parametrize(
    ("wanted", "values"),
    [
        ({"model": "a"}, [1, 2]),
        ({"model": "a", "severity": 0}, [1]),
        ({"model": ["a", "c"], "severity": 1}, [2, 4]),
        ({"model": []}, []),
        ({}, [1, 2, 3, 4]),
    ],
)
def test_every_column_must_agree(wanted, values):
    assert pick(FRAME, **wanted)["value"].tolist() == values


def test_a_trial_that_one_seed_lacks_is_left_out_of_all():
    frame = pd.DataFrame(
        {"subject": ["a", "a", "a", "b", "b"], "trial": ["t", "u", "t", "t", "t"], "seed": [0, 0, 1, 0, 1], "value": range(5)}
    )
    assert complete(frame)["value"].tolist() == [0, 2, 3, 4]
    assert complete(frame[:0]).empty
