"""Which modality matters: the one without which CCC falls, in words and in a picture by name."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from himoe.config.load import load_config
from himoe.figures import condition_curve
from himoe.report import absence, style
from himoe.report.evidence import Evidence
from tests.report.scores import scores

LEFT = {0: 0.5, 1: 0.1, 2: 0.5}  # all there, without eeg, without ecg; ridge has .1 less


def evidence(left=LEFT, models=("ridge", "himoe"), failed=False):
    """Six people, two seeds, each +- .01."""
    parts = []
    for severity, level in left.items():
        made = scores({m: level - 0.1 * (m == "ridge") for m in models})[lambda f: f["condition"] == "clean"]
        parts.append(made.assign(setting="dreamer_twin", condition="one_modality", severity=float(severity)))
    frame = pd.concat(parts)
    if failed:
        frame = frame.assign(value=frame["value"].mask((frame["model"] == "himoe") & (frame["severity"] == 1)))
    settings = {"datasets": ["dreamer_twin"], "targets": {"dreamer_twin": ["valence"]}, "models": list(models)}
    run = Evidence({}, load_config(settings | {"conditions": {"one_modality": [0, 1, 2]}, "protocols": ["loso"]}))
    run.__dict__["scores"] = frame
    return run


def test_what_is_missed_is_named_with_what_is_left():
    said = absence.what_matters(evidence(), "dreamer_twin")
    assert said == "Hi-MoE's CCC, 0.50, falls without eeg (to 0.10); without any one of the other 1 at least 0.50 is left."
    equal = absence.what_matters(evidence({0: 0.5, 1: 0.5, 2: 0.5}), "dreamer_twin")
    assert equal.startswith("none alone is shown to: Hi-MoE's CCC, 0.50, is still 0.50 without e")


def test_nothing_is_said_where_nothing_was_tried():
    assert absence.what_matters(evidence(failed=True), "dreamer_twin") == ""
    assert absence.what_matters(evidence(models=("ridge",)), "dreamer_twin") == ""
    run = evidence()
    run.config.__dict__["conditions"] = {}
    assert absence.what_matters(run, "dreamer_twin") == ""


@pytest.mark.parametrize("theme", [style.LIGHT, style.DARK])
def test_modalities_stand_by_name_with_the_range_of_rivals(theme):
    with style.themed(theme):
        item = condition_curve.draw(evidence(models=("ridge", "late_fusion", "himoe")), theme, "one_modality")
    plt.close(item.figure)
    (ax,) = item.figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["none", "eeg", "ecg"]
    studied = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"]
    assert studied == pytest.approx([0.5, 0.1, 0.5], abs=0.01)
    assert "without eeg (where the mean over all models is lowest): Hi-MoE goes from CCC 0.50 to 0.1" in item.finding
    assert [text.get_text() for text in item.figure.legends[0].get_texts()] == ["range of rivals", "a rival", "Hi-MoE"]
