"""The doctor: ready, packed, absent, wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from himoe import registry
from himoe.__main__ import main
from himoe.commands import doctor
from himoe.config.facts import dataset_info
from himoe.data import intake
from tests.conftest import ROOT


def state(data_root, what):
    (found,) = [f for f in doctor.examine(data_root) if f.what == what]
    return found.state, found.detail


def whole(root, dataset="deap"):
    info = registry.peek("datasets", dataset)["INFO"]
    root.mkdir(parents=True)
    for subject in info.subjects:
        for name in info.editions[0].patterns(subject):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(b"x")
    return root


def test_an_empty_machine_is_absent_not_wrong(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # neither conda nor SLURM
    assert main(["doctor", "--data-root", str(tmp_path)]) == 0
    detail = capsys.readouterr().out
    for what in [*registry.available("datasets"), "conda", "GPU", "SLURM"]:
        assert what in detail
    assert state(tmp_path, "deap")[0] == "absent"
    assert "sign the EULA" in state(tmp_path, "deap")[1]
    assert state(tmp_path, "deap_twin")[0] == "ready"


@pytest.mark.parametrize("dataset", ["deap", "case"])
def test_a_whole_set_is_ready_and_a_broken_one_wrong(tmp_path, dataset):
    root = whole(tmp_path / dataset, dataset)
    assert state(tmp_path, dataset)[0] == "ready"
    info = registry.peek("datasets", dataset)["INFO"]
    (root / info.editions[0].patterns(info.subjects[1])[0]).unlink()
    found, detail = state(tmp_path, dataset)
    assert found == "wrong"
    assert f"1 subjects absent ({info.subjects[1]})" in detail
    assert main(["doctor", "--data-root", str(tmp_path)]) == 1


def test_an_archive_is_packed(tmp_path):
    (tmp_path / "deap").mkdir()
    (tmp_path / "deap/data_preprocessed_matlab.zip").write_bytes(b"x")
    assert state(tmp_path, "deap")[0] == "packed"


def test_what_changed_since_it_was_seen_is_wrong(tmp_path):
    root = whole(tmp_path / "deap")
    (root / intake.TRUSTED).write_text(json.dumps({"s01.dat": {"bytes": 1, "sha256": "0"}}))
    assert state(tmp_path, "deap") == ("ready", f"edition 'python' in {root}/; hashes known")
    (root / "s01.dat").write_bytes(b"more")
    found, detail = state(tmp_path, "deap")
    assert found == "wrong"
    assert "s01.dat changed since it was first seen" in detail
    (root / intake.TRUSTED).write_text("[]")
    assert state(tmp_path, "deap")[0] == "wrong"


def test_raw_needs_its_ratings(tmp_path):
    root = tmp_path / "deap"
    root.mkdir()
    for subject in registry.peek("datasets", "deap")["INFO"].subjects:
        (root / f"{subject}.bdf").write_bytes(b"x")
    found, detail = state(tmp_path, "deap")
    assert found == "wrong"
    assert "participant_ratings.csv is absent, and edition 'raw' needs it" in detail


def test_ratings_may_stand_apart(tmp_path):
    (tmp_path / "deap/data_original").mkdir(parents=True)
    (tmp_path / "deap/metadata_csv").mkdir()
    for subject in registry.peek("datasets", "deap")["INFO"].subjects:
        (tmp_path / f"deap/data_original/{subject}.bdf").write_bytes(b"x")
    (tmp_path / "deap/metadata_csv/participant_ratings.csv").write_bytes(b"x")
    assert state(tmp_path, "deap")[0] == "ready"


def test_tools_are_looked_for(tmp_path, monkeypatch):
    for name, answer in (("conda", "exit 0"), ("sbatch", "exit 0"), ("sinfo", "exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert state(tmp_path, "conda")[0] == "ready"
    assert state(tmp_path, "SLURM")[0] == "wrong"
    (tmp_path / "sinfo").write_text("#!/bin/sh\necho 'main*|up|2|7000|2:00:00|(null)'\n")
    (tmp_path / "squeue").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "squeue").chmod(0o755)
    assert state(tmp_path, "SLURM") == ("ready", "1 partitions or node groups")
    monkeypatch.chdir(ROOT)
    assert state(tmp_path, "profiles/slurm")[0] == "wrong"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("twin: &x {a: *x}\n", "it refers to itself"),
        ("datasets: " + "[" * 5000 + "]" * 5000, "recursion"),
        ("modles: [ridge]\n", "modles: unknown key; did you mean 'models'?"),
        ("seeds: [1]\n", ""),
    ],
    ids=["an alias to itself", "nested 5,000 deep", "an unknown key", "good"],
)
def test_a_config_that_snakemake_cannot_read_is_one_line(tmp_path, text, said):
    (tmp_path / "c.yaml").write_text(text)
    (found,) = doctor.examine(tmp_path, [tmp_path / "c.yaml"])[:1]
    assert found.what == str(tmp_path / "c.yaml")
    assert found.state == (doctor.WRONG if said else doctor.READY)
    assert said in found.detail
    assert len(found.detail.splitlines()) == 1


def test_two_config_files_are_one_run(tmp_path):
    """The second one's value counts: models without himoe, and ablations of himoe, are wrong together alone."""
    for name, text in (("a", "models: [himoe]\n"), ("b", "ablations: {x: {router: 7}}\n")):
        (tmp_path / f"{name}.yaml").write_text(text)
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    (found,) = doctor.examine(tmp_path, paths)[:1]
    assert (found.what, found.state) == (f"{paths[0]} {paths[1]}", doctor.WRONG)
    assert "ablations.x.router" in found.detail


def test_help_is_offered():
    done = subprocess.run([sys.executable, "-m", "himoe", "--help"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert "doctor" in done.stdout


def test_recordings_are_ready(recordings):
    assert dataset_info("esports").folder == recordings.name
    assert state(recordings.parent, "esports")[0] == "ready"
