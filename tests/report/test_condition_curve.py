"""Curves over strengths have lines; where a severity is the number of a subset, points stand alone and the worst one counts."""

from __future__ import annotations

import re

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
    assert line.get_marker() != "None"
    said = re.fullmatch(rf"Mean CCC {when}: Hi-MoE from (.+) to (.+)\.", item.finding)
    assert [float(value) for value in said.groups()] == pytest.approx([0.5, last], abs=0.015)
