"""Curves over strengths have lines; where a severity is the number of a subset, points stand alone and the worst one counts."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from himoe.config.load import load_config
from himoe.figures import condition_curve
from himoe.report import style
from himoe.report.evidence import Evidence
from tests.report.scores import scores


@pytest.mark.parametrize(
    ("condition", "dash", "when", "last"),
    [
        ("missing_rate", "-", "as the random missing rate rises to 2", 0.4),
        ("one_modality", "None", "in the worst case of one modality absent", 0.3),
    ],
)
def test_lines_and_points(condition, dash, when, last):
    """At severity 0 Hi-MoE has 0.5, at 1 it has 0.3, and at 2 0.4."""
    made = scores({"himoe": 0.5})
    at_0, at_2 = (made[(made["condition"] == "missing_rate") & (made["severity"] == s)] for s in (0, 0.5))
    frame = pd.concat([at_0, at_2.assign(severity=1.0, value=at_2["value"] - 0.1), at_2.assign(severity=2.0)])
    settings = {"datasets": ["deap_twin"], "targets": {"deap_twin": ["valence"]}, "models": ["himoe"]}
    run = Evidence({}, load_config(settings | {"conditions": {condition: [0, 1, 2 if condition == "one_modality" else 0.5]}}))
    run.__dict__["scores"] = frame.assign(condition=condition)
    with style.themed(style.LIGHT):
        item = condition_curve.draw(run, style.LIGHT, condition)
    (line,) = item.figure.axes[0].lines
    assert line.get_linestyle() == dash
    if condition == "one_modality":
        assert [t.get_text() for t in item.figure.axes[0].get_xticklabels()] == ["none", "eeg", "eog"]
    assert line.get_marker() != "None"
    said = re.fullmatch(rf"Mean CCC {when}: Hi-MoE from (.+) to (.+)\.", item.finding)
    assert [float(value) for value in said.groups()] == pytest.approx([0.5, last], abs=0.015)


def test_subsets_are_drawn_by_their_size():
    """Of three modalities: all .5; one absent .4 .3 .2; two absent .1 .2 .3: means .5 .3 .2, ranges .2 to .4 and .1 to .3."""
    by_subset = dict(enumerate([0.5, 0.4, 0.3, 0.2, 0.1, 0.2, 0.3]))
    data = pd.DataFrame({"model": "himoe", "severity": by_subset.keys(), "ccc": by_subset.values()})
    drawn, label, names = condition_curve._by_size(data, "modality_subset", ("eeg", "gsr", "bvp"))
    assert (label, names) == ("modalities present", [])
    assert drawn[["x", "ccc", "low", "high"]].to_numpy() == pytest.approx(
        np.array([[1, 0.2, 0.1, 0.3], [2, 0.3, 0.2, 0.4], [3, 0.5, 0.5, 0.5]])
    )
