"""CCC against cost: seconds of a fold from run records, the best model named with Hi-MoE beside it, no name over another."""

from __future__ import annotations

from itertools import pairwise

import matplotlib.pyplot as plt
import pytest
from matplotlib.text import Text

from himoe.config.load import load_config
from himoe.figures import cost
from himoe.report import style
from himoe.report.evidence import Evidence
from tests.report.scores import scores

VALUES = {"ridge": 0.6, "mult": 0.505, "late_fusion": 0.5, "himoe": 0.5, "stimulus_mean": 0.4, "train_mean": 0.0}


def run(model, seed, seconds, n_parameters, device="cpu"):
    folds = {str(i): {"n_parameters": n_parameters} for i in range(2)}
    clock = {"cpu_seconds": seconds, "wall_seconds": 7.0, "device": device}
    return {"setting": "deap_twin", "model": model, "seed": seed, "folds": folds, **clock}


@pytest.fixture
def evidence():
    settings = {"datasets": ["deap_twin"], "targets": {"deap_twin": ["valence"]}, "models": list(VALUES), "seeds": [0, 1]}
    made = Evidence({}, load_config(settings))
    frame = scores(VALUES)
    made.__dict__["scores"] = frame.assign(value=frame["value"].where(frame["model"] != "train_mean", 0.0).round(3))
    made.__dict__["runs"] = [run(m, seed, 1.0 + 2 * seed, 100) for m in VALUES if m != "himoe" for seed in (0, 1)]
    made.__dict__["runs"] += [run("himoe", seed, 1.0, 12000, "cuda") for seed in (0, 1)]
    return made


def test_costs_are_of_one_fold(evidence):
    """1 s and 3 s of processor over 2 + 2 folds: 1 s; on a GPU 7 + 7 s of wall clock: 3.5 s."""
    with style.themed(style.LIGHT):
        item = cost.draw(evidence, style.LIGHT)
    plt.close(item.figure)
    seconds = item.data.set_index("model")["seconds"]
    assert (seconds["ridge"], seconds["himoe"]) == (1.0, 3.5)
    assert item.finding == (
        "DEAP twin (6 people), highest: ridge CCC 0.60, 1.0 s a fold, 100 parameters; "
        "Hi-MoE CCC 0.50, 3.5 s a fold, 12,000 parameters."
    )
    left, right = item.figure.axes
    assert left.get_title(loc="left") == "DEAP twin: best ridge, 1.0\u00a0s; Hi-MoE 3.5\u00a0s"
    assert right.get_title(loc="left") == "DEAP twin: best ridge, 100; Hi-MoE 12,000"
    assert {text.get_text() for text in left.texts} == {
        "ridge",
        "MulT",
        "late fusion",
        "Hi-MoE",
        "stimulus mean",
    }  # no constant
    assert left.get_xscale() == "log"


@pytest.mark.parametrize("inches", [style.WIDTH, style.PHONE])
def test_names_stand_below_one_another(evidence, inches):
    with style.themed(style.LIGHT, inches):
        item = cost.draw(evidence, style.LIGHT)
        item.figure.draw_without_rendering()
    for ax in item.figure.axes:
        boxes = sorted((Text.get_window_extent(text) for text in ax.texts), key=lambda box: box.y0)
        assert all(below.y1 <= above.y0 + 1 for below, above in pairwise(boxes))
    plt.close(item.figure)
