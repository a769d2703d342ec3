"""Data sets as readers are told of them."""

from __future__ import annotations

from himoe.report.titles import named, short_titles


def test_variants_and_replicates_are_counted_not_listed():
    datasets = ["case", "esports", "case-lag_2", "case-skin", "planted-null.0", "planted-null.1", "esports-skin"]
    assert named(datasets) == {
        "CASE (2 variants)": ["case", "case-lag_2", "case-skin"],
        "eSports Sensors (1 variant)": ["esports", "esports-skin"],
        "Planted null (2 replicates)": ["planted-null.0", "planted-null.1"],
    }


def test_what_all_settings_share_is_told_once():
    plots = "ceap_digitised"
    assert short_titles([f"{plots}/loso", f"{plots}/subject_stimulus", f"{plots}-few/loso"]) == {
        f"{plots}/loso": "left-out person",
        f"{plots}/subject_stimulus": "new people, clips",
        f"{plots}-few/loso": "few, left-out person",
    }
    assert list(short_titles(["ceap", "ceap-few"]).values()) == ["CEAP-360VR", "CEAP-360VR, few"]
    assert list(short_titles(["deap_twin", "dreamer_twin"]).values()) == ["DEAP twin", "DREAMER twin"]
    assert short_titles(["esports/loso"]) == {"esports/loso": "eSports Sensors, left-out person"}
