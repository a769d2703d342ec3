"""Doctor, verify-data and intake say the same of one folder: who is absent, what of whom, which copy counts."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from himoe.__main__ import main
from himoe.commands import doctor
from himoe.config.run import Config
from himoe.data import intake
from himoe.data.sources import find
from himoe.data.twins import synthesize
from himoe.datasets import deap
from himoe.types import HimoeError, Size

SIZE = Size(("s01", "s02"), 2, 8.0)


@pytest.fixture
def esports(tmp_path):
    """The eSports twin under the real one's name."""
    synthesize("esports", tmp_path / "data/esports", Config().size("esports"), "csv", 1.0, 0)
    return tmp_path / "data"


def verified(root, capsys, *names):
    status = main(["verify-data", "--data-root", str(root), *names])
    return status, capsys.readouterr().out.splitlines()


def test_a_player_who_is_absent_is_absent_to_all(esports, capsys):
    for folder in (esports / "esports").glob("matches/match_*"):
        if json.loads((folder / "meta_info.json").read_text())["team"] == "pros":
            shutil.rmtree(folder / "player_2")
    (found,) = [f for f in doctor.examine(esports) if f.what == "esports"]
    assert found.state == "wrong"
    assert "1 subjects absent (pros-2)" in found.detail
    status, lines = verified(esports, capsys)
    assert status == 1
    (line,) = [line for line in lines if line.startswith("error")]
    assert "subject pros-2 is absent" in line


def test_a_modality_that_is_absent_is_named(esports, capsys):
    for path in (esports / "esports").glob("matches/*/player_3/gsr.csv"):
        path.unlink()
    status, lines = verified(esports, capsys)
    assert status == 0
    (line,) = [line for line in lines if "amateurs-3" in line]
    n_trials = line.split(" trials")[0].split()[-1]
    assert f", gsr absent in {n_trials} of {n_trials} trials" in line


def test_a_file_that_a_subject_lacks_is_named(tmp_path, capsys):
    root = tmp_path / "case/data/interpolated"
    for kind in ("physiological", "annotations"):
        (root / kind).mkdir(parents=True)
        for i in range(1, 31):
            (root / kind / f"sub_{i}.csv").write_text("x")
    (root / "annotations/sub_7.csv").unlink()
    _, lines = verified(tmp_path, capsys)
    (line,) = [line for line in lines if "sub_7" in line]
    assert "subject sub_7 is absent (no data/interpolated/annotations/sub_7.csv)" in line


def test_a_copy_that_a_run_would_refuse_is_an_error_here_too(tmp_path, capsys):
    root = tmp_path / "deap"
    synthesize("deap", root, SIZE, "python", 1.0, 0)
    synthesize("deap", root / "backup", SIZE, "python", 1.0, 9)
    with pytest.raises(HimoeError, match=r"another s01\.dat is read, and they differ"):
        intake.take_in("deap", find(root, deap.INFO), SIZE, tmp_path / "unpacked")
    status, lines = verified(tmp_path, capsys)
    assert status == 1
    assert "deap/backup/s01.dat: another s01.dat is read, and they differ" in "\n".join(lines)


def test_where_the_folder_of_the_data_cannot_be_written_hashes_are_kept_with_the_results(tmp_path):
    root, unpacked = tmp_path / "deap", tmp_path / "results/deap/unpacked"
    synthesize("deap", root, SIZE, "python", 1.0, 0)
    (root / intake.TRUSTED).mkdir()  # nothing can be written under this name, not even by root
    assert sorted(intake.take_in("deap", find(root, deap.INFO), SIZE, unpacked)["records"]) == ["s01", "s02"]
    assert sorted(json.loads((tmp_path / "results/deap" / intake.KEPT).read_text())) == ["s01.dat", "s02.dat"]
    intake.take_in("deap", find(root, deap.INFO), SIZE, unpacked)
    content = (root / "s02.dat").read_bytes()
    (root / "s02.dat").write_bytes(content[:-1] + b"x")
    with pytest.raises(HimoeError, match=r"s02\.dat: differs from when it was first seen \(.*results/deap/first_seen\.json\)"):
        intake.take_in("deap", find(root, deap.INFO), SIZE, unpacked)


def test_what_another_person_has_closed_is_said_or_passed_over(tmp_path, monkeypatch):
    root, is_open = tmp_path / "deap", os.access
    synthesize("deap", root, SIZE, "python", 1.0, 0)
    (root / intake.TRUSTED).write_text('{"s01.dat": {"bytes": 1, "sha256": "0"}}')
    monkeypatch.setattr(os, "access", lambda path, mode: path != root / intake.TRUSTED and is_open(path, mode))
    facts = intake.hash_files(find(root, deap.INFO), SIZE)
    assert intake.compare(find(root, deap.INFO), facts) == ({}, {})
    monkeypatch.setattr(os, "access", lambda path, mode: path != root and is_open(path, mode))
    with pytest.raises(HimoeError, match="deap: cannot be read; check its permissions"):
        find(root, deap.INFO)
    (found,) = [f for f in doctor.examine(tmp_path) if f.what == "deap"]
    assert found.state == "wrong"


def test_a_recording_whose_name_is_not_utf8_is_one_line(tmp_path, capsys):
    root = tmp_path / "deap"
    synthesize("deap", root, SIZE, "python", 1.0, 0)
    (root / os.fsdecode(b"notes\xff.txt")).write_text("beside them it does no harm")
    assert intake.take_in("deap", find(root, deap.INFO), SIZE, tmp_path / "unpacked")["stray"] == [r"notes\udcff.txt"]
    (root / os.fsdecode(b"data_preprocessed_python\xff.zip")).write_bytes(b"x")
    with pytest.raises(HimoeError, match=r"data_preprocessed_python.*\.zip: its name is not UTF-8; rename it"):
        find(root, deap.INFO)
    status, lines = verified(tmp_path, capsys)
    assert (status, len(lines)) == (1, 2)


def test_a_folder_under_a_recordings_name_is_one_line(tmp_path, capsys):
    synthesize("deap", tmp_path / "deap", SIZE, "python", 1.0, 0)
    (tmp_path / "deap/s02.dat").unlink()
    (tmp_path / "deap/s02.dat").mkdir()
    status, lines = verified(tmp_path, capsys)
    assert (status, len(lines)) == (1, 2)
    assert "s02.dat: a folder, pipe or device under a recording's name" in lines[0]
