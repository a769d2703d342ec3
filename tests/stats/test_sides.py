"""On which side of 0 a lead is."""

from __future__ import annotations

import pytest

from himoe.stats.intervals import Interval
from himoe.stats.sides import side


@pytest.mark.parametrize(
    ("bounds", "word"),
    [((0.1, 0.01, 0.2), "ahead"), ((-0.1, -0.2, -0.01), "behind"), ((0.1, -0.01, 0.2), "undecided"), ((0, 0, 0), "undecided"),
     ((float("nan"),) * 3, "failed")],
)  # fmt: skip
def test_a_side_is_that_of_the_whole_interval(bounds, word):
    assert side(Interval(*bounds)) == word
