"""Evidence: results of two protocols never share a row."""

from __future__ import annotations

import pandas as pd

from himoe.config import Config
from himoe.items import Evidence, dataset_of, named, setting_title
from himoe.score import COLUMNS, per_subject


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
    assert setting_title("deap_twin/loso") == "DEAP twin, loso"
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
