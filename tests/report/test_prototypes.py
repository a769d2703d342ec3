"""The figure of prototypes, on weights that are made up: followed and not, one target and two, some folds and none."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from himoe.config.run import Config
from himoe.figures import prototypes
from himoe.report import style
from himoe.report.evidence import Evidence
from himoe.stats.frames import pick
from himoe.stats.plane import anchors


def evidence(follows, dataset="deap_twin", empty=False):
    """Twelve people, eight trials, two seeds, lambda .4 and .6; weights rise by ``follows`` towards their anchors."""
    rng, rows, said = np.random.default_rng(0), [], []
    config = Config(datasets=[dataset], models=["himoe"], seeds=[0, 1])
    targets = config.targets_of(dataset)[:2]
    for i in range(12):
        for j in range(8):
            y = rng.standard_normal(len(targets))
            for seed in (0, 1):
                key = (dataset, "himoe", seed, i % 3, f"s{i:02d}", f"t{j}", "clean")
                weights = 0.1 + follows * anchors(8, len(targets)) @ y + 0.01 * rng.standard_normal(8)
                rows += [(*key, "prototype_weight", str(k), w) for k, w in enumerate(weights)]
                rows.append((*key, "lambda", "", 0.4 + 0.2 * seed))
                said += [(*key, target, value) for target, value in zip(targets, y, strict=True)]
    keys = ["setting", "model", "seed", "fold", "subject", "trial", "condition"]
    frame = pd.DataFrame([] if empty else rows, columns=[*keys, "quantity", "part", "value"])
    run = Evidence({}, config)
    run.__dict__.update(
        routed=lambda conditions, quantities: pick(frame, condition=conditions, quantity=quantities),
        predictions=pd.DataFrame(said, columns=[*keys, "target", "y_true"]), failed={},
    )  # fmt: skip
    return run


def drawn(run):
    with style.themed(style.LIGHT):
        item = prototypes.draw(run, style.LIGHT)
    plt.close(item.figure)
    return item


@pytest.mark.parametrize("dataset", ["deap_twin", "esports"])
def test_weights_that_follow_the_rating_are_told_from_those_that_do_not(dataset):
    item = drawn(evidence(0.05, dataset))
    n_following = int(item.finding.split("weights of ")[1].split(" of 8")[0])
    assert n_following >= 6  # on a line those in its middle hardly move
    assert "p < 0.001" in item.finding
    assert "lambda 0.50 (0.40 to 0.60, 6 networks)" in item.finding
    nothing = drawn(evidence(0.0, dataset))
    assert "weights of 0 of 8 follow the rating" in nothing.finding
    assert "; 0 of " in nothing.finding


def test_only_what_is_beyond_chance_has_a_colour():
    for follows, is_coloured in ((0.0, False), (0.05, True)):
        item = drawn(evidence(follows))
        cells = item.figure.axes[1].images[0].get_array()
        assert bool((~np.ma.getmaskarray(cells)).any()) == is_coloured


def test_all_numbers_are_in_the_file():
    data = drawn(evidence(0.05)).data
    assert data["what"].value_counts().to_dict() == {
        "departure": 32, "slope on target 1": 8, "slope on target 2": 8, "lambda": 6,
    }  # fmt: skip


def test_where_every_fold_failed_that_is_said():
    assert drawn(evidence(0.0, empty=True)).finding == "DEAP twin: every fold failed."
