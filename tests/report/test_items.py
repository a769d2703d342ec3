"""Evidence: results of two protocols never share a row."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from himoe.config.run import Config
from himoe.evaluate.score import COLUMNS, per_subject
from himoe.report.evidence import Evidence
from himoe.report.titles import dataset_of, named, setting_title


def evidence(tmp_path, protocols):
    rows = [
        ("deap_twin", p, "himoe", 0, "s1", "clean", 0.0, "valence", "ccc", value, 5)
        for p, value in (("loso", 0.2), ("subject_kfold", 0.6))
        if p in protocols
    ]
    pd.DataFrame(rows, columns=COLUMNS).to_csv(tmp_path / "scores.csv", index=False)
    return Evidence({"scores": [str(tmp_path / "scores.csv")]}, Config(datasets=["deap_twin"], protocols=protocols))


def test_protocols_are_kept_apart(tmp_path):
    both = evidence(tmp_path, ["loso", "subject_kfold"])
    assert both.settings == ["deap_twin/loso", "deap_twin/subject_kfold"]
    assert per_subject(both.scores, "ccc").set_index("setting")["value"].to_dict() == {
        "deap_twin/loso": 0.2,
        "deap_twin/subject_kfold": 0.6,
    }
    assert setting_title("deap_twin/loso") == "DEAP twin, left-out person"
    assert setting_title("ceap-no_pupil") == "CEAP-360VR, no pupil"
    assert (
        setting_title("ceap_digitised-few/loso")
        == "CEAP-360VR, physiology digitised from published plots, few, left-out person"
    )
    assert dataset_of("deap_twin/loso") == "deap_twin"


def test_one_protocol_needs_no_name(tmp_path):
    one = evidence(tmp_path, ["loso"])
    assert one.settings == ["deap_twin"]
    assert one.scores["setting"].tolist() == ["deap_twin"]
    assert setting_title("deap_twin") == "DEAP twin"


def test_replicates_are_told_as_one():
    names = ["deap_twin", "planted-base", "planted-null.0", "planted-null.1", "planted_rated-plain"]
    assert named(names) == {
        "DEAP twin": names[:1],
        "Planted base": names[1:2],
        "Planted null (2 replicates)": names[2:4],
        "Planted plain, one label per trial": names[4:],
    }


@pytest.mark.parametrize(("dataset", "travel"), [("deap", False), ("deap_twin", True), ("case", True), ("ceap", False)])
def test_labels_under_a_licence_do_not_travel_with_the_report(dataset, travel):
    """The file of numbers beside the figure is embedded in the page: labels that may not be passed on are not in it."""
    from himoe.figures import predicted
    from himoe.report import style

    drawn_of = Evidence({}, Config(datasets=[dataset]))
    rows = [
        {"setting": dataset, "target": t, "model": "himoe", "condition": "clean", "subject": "s01", "trial": f"v{i}",
         "y_true": float(i), "y_pred": 5.0}
        for t in drawn_of.targets_of(dataset) for i in range(4)
    ]  # fmt: skip
    drawn_of.__dict__.update(predictions=pd.DataFrame(rows), failed={})
    with style.themed(style.LIGHT):
        drawn = predicted.draw(drawn_of, style.LIGHT)
    plt.close(drawn.figure)
    assert ("y_true" in drawn.data) is travel
    assert len(drawn.data) == len(rows)
    assert not drawn.data.isna().any().any()
