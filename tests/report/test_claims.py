"""Claims: judged on every data set whose labels allow it, whoever adds it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import yaml

from himoe.config.run import Config
from himoe.report.evidence import Evidence
from himoe.tables import claims
from tests.conftest import ROOT
from tests.report.scores import scores

CLAIMS = yaml.safe_load((ROOT / "config/claims.yaml").read_text())


def table(datasets, **config):
    """The table of a run with two models."""
    settings = Config(datasets=datasets, models=["himoe", "late_fusion"], conditions={"missing_rate": [0, 0.5]}, **config)
    run = Evidence({}, settings)
    made = scores({"himoe": 0.6, "late_fusion": 0.5})
    run.__dict__.update(all_scores=made.assign(setting=datasets[0]), failed={})
    facts = {name: getattr(run, name) for name in ("all_scores", "scores", "config", "failed", "models", "settings")}
    asked = SimpleNamespace(**facts, protocol_of=run.protocol_of, models_of=run.models_of, yaml=lambda name: CLAIMS)
    return claims.make(asked).data.set_index("id")


def test_a_data_set_is_judged_without_being_named():
    data = table(["case_twin"])
    assert data[data["setting"] == "case_twin"].index.tolist() == [
        "C2",
        "C3",
        "C4",
        "C5",
        "C6",
        "C7",
    ]  # C1 names DEAP and DREAMER
    assert data.loc["C1", "setting"] == "DEAP, DREAMER"
    verdicts = data[data["setting"] == "case_twin"]["verdict"]
    assert verdicts["C2"] in ("supported", "not supported")
    assert verdicts["C6"] == "not run"


def test_labels_per_trial_say_nothing_of_shifts():
    data = table(["deap_twin"])
    assert data[data["setting"] == "deap_twin"].loc["C3", "verdict"] == "untestable on this data"
    absent = data[data["verdict"] == "not run"]["setting"]
    assert "DEAP" not in absent["C3"]  # its recordings could not test it either
    assert "DEAP" in absent["C2"]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c["id"])
def test_planted_data_have_studies_of_their_own(claim):
    assert not claims.applies(claim, "planted-base")
