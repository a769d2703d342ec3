"""The decision register: values as they were fitted, in the words of today."""

from __future__ import annotations

from himoe.config.run import Config
from himoe.config.sections import walk
from himoe.registry import config_class
from himoe.report.evidence import Evidence
from himoe.tables import register


def test_reworded_settings_are_printed_as_the_code_says_them_now():
    recorded = [["penalties", [1.0], "words of long ago", "ours"], ["dropped", 3, "a setting that is no more", "ours"]]
    run = Evidence({}, Config())
    run.__dict__["runs"] = [{"model": "ridge-noise_physiology", "model_config": recorded}]
    data = register.make(run).data.set_index("setting")
    (words,) = [description for key, _, description, _ in walk(config_class("ridge")()) if key == "penalties"]
    assert data.loc["ridge-noise_physiology.penalties", "meaning"] == words
    assert data.loc["ridge-noise_physiology.penalties", "value"] == "[1.0]"
    assert data.loc["ridge-noise_physiology.dropped", "meaning"] == "a setting that is no more"
    assert "data_root" not in data.index
