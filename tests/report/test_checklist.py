"""The reproducibility checklist: what it points at exists, and a status is worked out, not believed."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest
import yaml

from himoe import registry
from himoe.config.run import Config
from himoe.tables import checklist
from himoe.tables.checklist import MET, NONE, PARTLY, SIGNS, UNMET
from tests.conftest import ROOT

POINTS = yaml.safe_load((ROOT / "config/checklist.yaml").read_text())


def run_of(reported=(), runs=(), failed=None, audits=(), **config):
    """Just what the checks read of a run."""
    settings = Config(**config)
    files = {"reported": {"values": list(reported)}, "checklist": POINTS}
    synthetic = not settings.recordings
    return SimpleNamespace(
        config=settings, yaml=files.get, runs=list(runs), failed=failed or {}, audits=list(audits),
        synthetic=synthetic,
    )  # fmt: skip


def test_every_point_can_be_checked():
    tracked = set(subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split())
    items = set(registry.available("tables")) | set(registry.available("figures"))
    assert {p["source"] for p in POINTS} == {"ACM", "ML", "ReScience C"}
    assert len({(p["source"], p["asks"]) for p in POINTS}) == len(POINTS)
    for point in POINTS:
        assert set(point) <= {"source", "asks", "test", "where", "status", "why"}, point
        assert point.get("test", "repeated") in checklist.TESTS
        assert ("status" in point) == ("why" in point), point
        assert point.get("status", MET) in SIGNS
        assert "status" in point or point["where"], point
        for place in point.get("where", []):
            assert (place[1:] in items) if place.startswith("#") else (ROOT / place).is_file(), place
            assert place.startswith("#") or not tracked or place in tracked, place


def test_every_check_is_used():
    assert {p["test"] for p in POINTS if "test" in p} == set(checklist.TESTS)


@pytest.mark.parametrize(("seeds", "status"), [([0], PARTLY), ([0, 1, 2], MET)])
def test_seeds_are_counted(seeds, status):
    assert checklist.repeated(run_of(seeds=seeds))[0] == status


def test_twins_replicate_nothing():
    assert checklist.replicated(run_of())[0] == UNMET
    assert checklist.open_data(run_of())[0] == NONE
    both = run_of(datasets=["deap", "dreamer"])
    assert checklist.replicated(both)[0] == PARTLY  # its numbers have not been read
    assert checklist.replicated(run_of(datasets=["deap", "dreamer"], reported=[{"value": 0.5}]))[0] == MET


def test_what_was_not_audited_is_a_gap():
    def sheet(*verdicts):
        return {"findings": [{"verdict": v} for v in verdicts]}

    assert checklist.audited(run_of(audits=[sheet("passed", "reported")]))[0] == MET
    assert checklist.audited(run_of(audits=[sheet("passed", "not run")]))[0] == PARTLY
    assert checklist.audited(run_of(audits=[sheet("as expected of an invalid protocol")]))[0] == UNMET


def test_versions_are_those_of_the_lock():
    lock = (ROOT / "envs/requirements.lock").read_text()
    numpy = next(line for line in lock.splitlines() if line.startswith("numpy==")).partition("==")[2]
    run = {"environment": {"numpy": numpy, "torch": "2.13.0+cpu", "platform": "Linux"}}
    assert checklist.locked(run_of(runs=[run])) == (MET, "2 packages as in the lock")
    other = {"environment": {"numpy": "1.0"}}
    assert checklist.locked(run_of(runs=[run, other])) == (PARTLY, "other than in the lock: numpy 1.0")


def test_a_point_whose_item_this_run_lacks_is_met_in_part():
    point = {"where": ["LICENSE", "#condition_curve-missing_rate"]}
    assert checklist.answer(point, run_of())[0] == MET
    answer = checklist.answer(point, run_of(conditions={}))
    assert answer == (PARTLY, "not here: #condition_curve-missing_rate")


def test_open_licences():
    assert checklist.open_data(run_of(datasets=["case", "esports"]))[0] == MET
    assert checklist.open_data(run_of(datasets=["case", "deap"])) == (
        PARTLY, "1 of 2 data sets are open, the others on request to their owners"
    )  # fmt: skip
