"""Data sets as readers are told of them."""

from __future__ import annotations

from himoe.report.titles import named


def test_variants_and_replicates_are_counted_not_listed():
    datasets = ["case", "esports", "case-lag_2", "case-skin", "planted-null.0", "planted-null.1", "esports-skin"]
    assert named(datasets) == {
        "CASE (2 variants)": ["case", "case-lag_2", "case-skin"],
        "eSports Sensors (1 variant)": ["esports", "esports-skin"],
        "Planted null (2 replicates)": ["planted-null.0", "planted-null.1"],
    }
