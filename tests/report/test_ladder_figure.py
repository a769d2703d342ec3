"""The ladder as a figure: a point a protocol, the invalid one shaded, each panel with its ends."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from himoe.config.load import load_config
from himoe.figures import ladder
from himoe.report import style
from himoe.report.evidence import Evidence
from himoe.tables import ladder as table
from tests.report.scores import KEYS

PROTOCOLS = ["subject_kfold", "trial_kfold", "window_random"]
GIVEN = {"subject_kfold": 0.0, "trial_kfold": 0.25, "window_random": 0.75}


@pytest.fixture
def evidence():
    settings = {"datasets": ["deap_twin"], "targets": {"deap_twin": ["valence"]}, "models": ["nearest", "ridge"]}
    made = Evidence({}, load_config(settings | {"protocols": PROTOCOLS, "conditions": {}}))
    rows = [
        (f"deap_twin/{p}", model, 0, f"s{i}", "valence", "clean", 0.0, metric, value * (model == "nearest") + (-1) ** i / 99)
        for p, value in GIVEN.items() for model in ("nearest", "ridge") for i in range(6)
        for metric in ("pcc", "ccc", "rmse", "reference_rmse")
    ]  # fmt: skip
    made.__dict__["all_scores"] = pd.DataFrame(rows, columns=[*KEYS, "value"])
    return made


def test_the_figure_holds_the_numbers_of_the_table(evidence):
    with style.themed(style.LIGHT):
        item = ladder.draw(evidence, style.LIGHT)
    plt.close(item.figure)
    pd.testing.assert_frame_equal(item.data, table.make(evidence).data)
    assert item.finding == table.make(evidence).finding
    panels = {ax.get_title(loc="left").replace("\n", " "): ax for ax in item.figure.axes if ax.get_title(loc="left")}
    assert list(panels) == ["1-nearest neighbour 0.00 to 0.75", "ridge 0.00 to 0.00"]
    nearest = panels["1-nearest neighbour 0.00 to 0.75"]
    assert nearest.lines[0].get_ydata().tolist() == pytest.approx(list(GIVEN.values()))
    (shaded,) = nearest.patches
    assert (shaded.get_x(), shaded.get_width()) == (1.5, 1)  # the third protocol


def test_a_model_that_failed_says_so(evidence):
    scores = evidence.all_scores
    evidence.__dict__["all_scores"] = scores.assign(value=scores["value"].mask(scores["model"] == "ridge"))
    with style.themed(style.LIGHT):
        item = ladder.draw(evidence, style.LIGHT)
    plt.close(item.figure)
    assert "ridge failed: diverged" in {ax.get_title(loc="left").replace("\n", " ") for ax in item.figure.axes}
