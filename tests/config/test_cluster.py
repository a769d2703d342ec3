"""The SLURM profile against clusters that sinfo describes, and jobs that wait for what will not come."""

from __future__ import annotations

import time

import pytest

from himoe.config import cluster
from tests.conftest import ROOT

PROFILE = cluster.read_profile(ROOT / "profiles/slurm/config.yaml")
BIG = "main*|up|16|64000|1-00:00:00|gpu:a100:4(S:0-1)"


def on(monkeypatch, *lines, jobs=()):
    answers = {"sinfo": "\n".join(lines), "squeue": "\n".join(jobs)}
    monkeypatch.setattr(cluster, "ask", lambda command, *_: answers[command])
    return cluster.offered()


def test_a_cluster_that_has_it_all(monkeypatch):
    (nodes,) = on(monkeypatch, BIG)
    assert nodes == cluster.Nodes("main", True, True, 16, 64000, 1440.0, 4)
    assert cluster.never_met(PROFILE, [nodes]) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        # groups of small jobs take the profile's 4 cores
        ("main*|up|2|64000|infinite|gpu:1", ["asks for 4 cores, partition main has 2 on a node: lower cores"]),
        # a fit asks for 8000 MB; a prediction too; four cleaned subjects side by side for 4 x 3000
        ("main*|up|4|11000|infinite|gpu:1", ["asks for 12000 MB, partition main has 11000 on a node: lower cores or"]),
        ("main*|up|4|7900|infinite|gpu:1", ["fit_model asks for 8000 MB", "predict asks for 8000 MB", "12000 MB", "8000 MB"]),
        # a fit's 120 minutes
        ("main*|up|4|64000|1:30:00|gpu:1", ["fit_model asks for 120 minutes, partition main has 90 at most"]),
        ("main*|up|4|64000|infinite|(null)", ["networks ask for a GPU, partition main offers none"]),
        ("main*|down|4|64000|infinite|gpu:1", ["partition main is down: default-resources.slurm_partition"]),
        ("main|up|4|64000|infinite|gpu:1", ["no partition is the default one: default-resources.slurm_partition"]),
    ],
)  # fmt: skip
def test_what_a_cluster_lacks_names_the_key(monkeypatch, line, said):
    lines = cluster.never_met(PROFILE, on(monkeypatch, line))
    assert len(lines) == len(said)
    for found, part in zip(lines, said, strict=True):
        assert part in found


def test_a_partition_that_a_site_names_is_looked_at(monkeypatch):
    nodes = on(monkeypatch, BIG, "gpu|up|2|9000|infinite|gpu:2")
    profile = PROFILE | {"set-resources": {"fit_model": {"mem_mb": 20000, "slurm_partition": "'gpu'"}}}
    (line,) = cluster.never_met(profile, nodes)
    assert line == "fit_model asks for 20000 MB, partition gpu has 9000 on a node: lower set-resources.fit_model.mem_mb"
    profile = PROFILE | {"default-resources": {"slurm_partition": "cpu"}}
    assert "there is no partition 'cpu'" in cluster.never_met(profile, nodes)[0]


def test_times_are_read_as_slurm_abbreviates_them():
    times = ("1-00:30:00", "2:00:00", "30:00", "7-00", "infinite", "n/a")
    assert [cluster.minutes(text) for text in times] == [1470, 120, 30, 10080, None, None]


def test_a_job_that_waits_in_vain_is_told_of_once(monkeypatch, capsys):
    jobs = ["7|PartitionConfig|rule_fit_model", "8|Resources|rule_predict", "9|JobHeldUser|a|b\x1b[31m", "odd"]
    on(monkeypatch, BIG, jobs=jobs)
    assert list(cluster.waiting_in_vain()) == ["7", "9"]
    cluster.watch(0.05)
    time.sleep(0.5)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert told[0].startswith("himoe: SLURM job 7 rule_fit_model waits for ever (PartitionConfig): ")
    assert "\x1b" not in told[1]


def test_without_slurm_there_is_no_answer(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cluster.offered() is None
    assert cluster.waiting_in_vain() == {}


def test_only_profiles_for_slurm_are_looked_at():
    assert cluster.read_profile(ROOT / "profiles/default/config.yaml") is None
