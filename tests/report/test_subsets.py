"""The table of subsets names what is present, counts it, and sets Hi-MoE beside late fusion and the highest of the others."""

from __future__ import annotations

import pandas as pd
import pytest

from himoe.config.load import load_config
from himoe.report.evidence import Evidence
from himoe.tables import subsets
from tests.report.scores import scores

SETTINGS = {
    "datasets": ["deap_twin"], "targets": {"deap_twin": ["valence"]}, "models": ["ridge", "late_fusion", "himoe"],
}  # fmt: skip


def under(condition: str, by_severity: list[dict[str, float]]) -> pd.DataFrame:
    parts = [scores(of)[lambda f: f["condition"] == "clean"].assign(severity=float(i)) for i, of in enumerate(by_severity)]
    return pd.concat(parts).assign(condition=condition)


def test_what_is_present_and_what_is_left_by_hand():
    levels = [
        {"himoe": 0.5, "late_fusion": 0.3, "ridge": 0.4},  # all
        {"himoe": 0.1, "late_fusion": 0.3, "ridge": 0.2},  # without the first
        {"himoe": 0.45, "late_fusion": 0.3, "ridge": 0.2},
    ]
    run = Evidence({}, load_config(SETTINGS | {"conditions": {"one_modality": [0, 1, 2]}}))
    run.__dict__["scores"] = under("one_modality", levels)
    table = subsets.make(run)
    assert table.shown["modalities present"].tolist() == ["all", "all but eeg", "all but eog"]
    assert table.shown["of them"].tolist() == [7, 6, 6]
    assert table.shown["highest other"].str.extract(r"(\D+) 0")[0].tolist() == ["ridge", "late fusion", "late fusion"]
    of = table.data[table.data["model"] == "late_fusion"].set_index("present")
    assert of["difference"].to_dict() == pytest.approx({"all": 0.2, "all but eeg": -0.2, "all but eog": 0.15}, abs=0.02)
    assert (of.loc["all", "low"] > 0, of.loc["all but eeg", "high"] < 0) == (True, True)
    assert "all but eeg leaves Hi-MoE with 0.099 of 0.499, and" in table.finding
    assert "of 3 subsets it is ahead of late fusion in 2 and behind in 1, of too few seeds to tell." in table.finding


def test_the_same_subset_under_two_conditions_is_one_row():
    run = Evidence({}, load_config(SETTINGS | {"conditions": {"one_modality": [0, 1], "modality_subset": [0, 1, 62]}}))
    level = {"himoe": 0.5, "late_fusion": 0.3}
    run.__dict__["scores"] = pd.concat([under("one_modality", [level] * 2), under("modality_subset", [level] * 2)])
    assert subsets.make(run).shown["modalities present"].is_unique
