"""Places of a small picture, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.report import forest
from himoe.report.forest import Bar, panel, tick_step


def test_a_bar_is_where_its_numbers_are():
    """From -.2 to .2 over 200 px (350 less 140 for labels and 10): 0 is at 140 + 100, .1 at 140 + 150."""
    drawn = panel("DEAP", [Bar("ridge", 0.1, -0.2, 0.2, "undecided")], 0.02, width=350, label=140)
    assert drawn["rows"][0]["x"] == [140.0, 290.0, 340.0]
    assert drawn["zero"] == 240.0
    assert drawn["band"] == [230.0, 20.0]  # .02 either way is 10 px
    assert drawn["ticks"] == [[140.0, "−0.2"], [190.0, "−0.1"], [240.0, "0.0"], [290.0, "0.1"], [340.0, "0.2"]]
    assert drawn["rows"][0]["text"] == "ridge: 0.100 [−0.200, 0.200], undecided"
    assert drawn["height"] == forest.TOP + forest.ROW + forest.BOTTOM


def test_zero_and_what_is_of_interest_are_always_in_the_picture():
    drawn = panel("DEAP", [Bar("ridge", 0.5, 0.4, 0.6, "ahead")], 0.02)
    assert drawn["band"][0] >= 120
    assert min(x for x, _ in drawn["ticks"]) >= 120


def test_what_has_no_interval_keeps_its_line():
    drawn = panel("DEAP", [Bar("ridge", np.nan, np.nan, np.nan, "undecided"), Bar("mult", 0.0, -0.1, 0.1, "undecided")], 0.02)
    assert drawn["rows"][0]["x"] is None
    assert drawn["rows"][0]["text"] == "ridge: no score, a fold diverged"
    assert drawn["rows"][1]["x"] is not None


def test_a_long_label_is_cut_in_the_picture_and_whole_in_its_text():
    """80 px less a gap of 8 hold 12 letters of 6 px."""
    (row,) = panel("DEAP", [Bar("left-out person", 0.0, -0.1, 0.1, "undecided")], 0.02, label=80)["rows"]
    assert row["label"] == "left-out pe…"
    assert row["text"].startswith("left-out person: ")


@pytest.mark.parametrize(
    ("span", "most", "step"), [(0.4, 4, 0.1), (0.41, 4, 0.2), (0.9, 4, 0.5), (1.9, 4, 0.5), (2.1, 4, 1.0), (0.06, 3, 0.02)]
)
def test_ticks_are_round_numbers_that_do_not_touch(span, most, step):
    assert tick_step(span, most) == pytest.approx(step)
