"""The figure of ranks names every model once, and joins those that the critical difference does not tell apart."""

from __future__ import annotations

import pytest

from himoe.config.run import Config
from himoe.figures import ranks
from himoe.report import style
from himoe.report.evidence import Evidence
from himoe.report.titles import model_title
from tests.report.scores import scores

LEVELS = {"himoe": 0.6, "late_fusion": 0.7, "ridge": 0.4, "boosting": 0.1, "stimulus_mean": 0.9}


def drawn(levels, failed=None):
    run = Evidence({}, Config(models=list(levels), datasets=["deap_twin"]))
    run.__dict__.update(all_scores=scores(levels, failed))
    with style.themed(style.LIGHT):
        return ranks.draw(run, style.LIGHT)


def test_ranks_by_hand():
    """Six people agree: ranks 1 to 4; critical difference 2.569 sqrt(4 5 / 36) = 1.91: neighbours are joined."""
    made = drawn(LEVELS)
    assert dict(zip(made.data["model"], made.data["rank"], strict=True)) == {
        "late_fusion": 1, "himoe": 2, "ridge": 3, "boosting": 4
    }  # fmt: skip
    assert made.data["critical_difference"].iloc[0] == pytest.approx(2.569 * (20 / 36) ** 0.5, abs=1e-3)
    ax = made.figure.axes[0]
    words = " ".join(text.get_text() for text in ax.texts)
    assert all(words.count(model_title(m)) == 1 for m in made.data["model"])
    bars = [c for c in ax.collections if c.get_linewidth()[0] == 3.2]
    assert len(bars) == 3 + 1  # two neighbours each, and the critical difference itself
    assert made.finding == (
        "DEAP twin: late fusion ranks first of 4, Hi-MoE's mean rank is 2.0, told apart from 1 of the 3 others, "
        "of too few seeds to tell."
    )


def test_one_that_failed_is_counted_and_two_are_no_ranking():
    assert drawn(LEVELS, ("ridge", 0, ("s1",))).finding.endswith("; 1 failed.")
    made = drawn({"himoe": 0.5, "ridge": 0.4})
    assert made.data.empty
    assert made.finding == "No data set has three models with every score."
