"""verify-data: genuine files that are whole, and the same damaged in every way a copy can be."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest

from himoe.__main__ import main
from himoe.commands import verify
from himoe.config.facts import dataset_info
from himoe.config.run import Config
from himoe.data import intake
from himoe.data.twins import synthesize
from himoe.datasets import deap
from himoe.types import Signal, Size, Trial


def tree(folder):
    """Every name below a folder with its size and time of change."""
    return {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in sorted(folder.rglob("*"))}


@pytest.fixture(scope="module")
def esports(tmp_path_factory):
    """A whole data set: the eSports twin under the real one's name."""
    root = tmp_path_factory.mktemp("data")
    synthesize("esports", root / "esports", Config().size("esports"), "csv", 1.0, 0)
    return root


def verified(root, capsys, *names):
    status = main(["verify-data", "--data-root", str(root), *names])
    return status, capsys.readouterr().out.splitlines()


def test_a_whole_set_is_ok_and_nothing_is_written(esports, capsys):
    before = tree(esports)
    status, lines = verified(esports, capsys)
    assert status == 0
    assert [line.split()[:3] for line in lines[1:-1]] == [["ok", "esports", s] for s in dataset_info("esports").subjects]
    assert "0 hashes on record" in lines[0]
    assert lines[-1] == "8 subjects looked at, 0 errors"
    assert tree(esports) == before


def test_a_file_that_changed_since_it_was_first_seen_is_named(esports, tmp_path, capsys):
    size = Config().size("esports")
    intake.take_in(
        "esports", intake.find("esports", esports / "esports"), size, tmp_path / "unpacked"
    )  # the first run trusts what it sees
    (path, other) = sorted((esports / "esports").rglob("gsr.csv"))[:2]
    kept, whole = (esports / "esports" / intake.TRUSTED).read_text(), path.read_text()
    try:
        path.write_text(whole + "\n")
        other.write_text(other.read_text() + "\n")
        status, lines = verified(esports, capsys, "esports")
        wrong = [line for line in lines if line.startswith("error")]
        assert status == 1
        assert len(wrong) == 2
        assert f"{path}: differs from when it was first seen" in wrong[0]
        assert (esports / "esports" / intake.TRUSTED).read_text() == kept
    finally:
        path.write_text(whole)
        other.write_text(other.read_text()[:-1])


DAMAGE = {
    "not numbers": (lambda t: t.replace("0.", "x."), "expected columns time"),
    "true and false": (
        lambda t: re.sub(r",0[^\n]*", ",True" * 6, t),
        "expected columns time, Engagement, Excitement, Stress, Relaxation, Interest, Focus of numbers (Engagement holds",
    ),
    "out of range": (lambda t: t.replace(",0.", ",7."), "a target is outside 0..1"),
    "empty": (lambda t: "", "expected columns time"),
    "a login page": (lambda t: "<!doctype html><title>Sign in</title>", "expected columns time"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_table_is_one_line_and_the_others_are_read(esports, capsys, how):
    damage, message = DAMAGE[how]
    path = esports / "esports/matches/match_1/player_2/eeg_metrics.csv"
    whole = path.read_text()
    try:
        path.write_text(damage(whole))
        status, lines = verified(esports, capsys)
    finally:
        path.write_text(whole)
    (line,) = [line for line in lines if line.startswith("error  esports a".replace("  ", " "))]
    assert status == 1
    assert "amateurs-2" in line
    assert f"{path}: {message}" in line
    assert sum(line.startswith("ok") and "trials" in line for line in lines) == 7


class Evil:
    def __reduce__(self):
        return eval, ("open('touched', 'w')",)


@pytest.fixture(scope="module")
def broken_deap(tmp_path_factory):
    """DEAP's own files by the simulator: one whole, the others damaged."""
    data = tmp_path_factory.mktemp("broken")
    root = data / "deap"
    synthesize("deap", root, Size(("s01",), 40, 60.0), "python", 1.0, 0)
    whole = (root / "s01.dat").read_bytes()
    (root / "s02.dat").write_bytes(whole[:-5000])
    labels, noise = np.full((40, 4), 5.0), np.zeros((40, 40, 8064))
    labels[6, 1] = np.nan
    deap.write_python2_pickle(root / "s03.dat", {"labels": labels, "data": noise})
    deap.write_python2_pickle(root / "s04.dat", {"labels": labels, "data": noise[:, :32, :10]})
    (root / "s05.dat").write_bytes(pickle.dumps(Evil(), 2))
    (root / "s06.dat").write_text("<html>Please log in</html>")
    return data


def test_damaged_recordings_are_named_by_file_subject_and_trial(broken_deap, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    before = tree(broken_deap)
    status, lines = verified(broken_deap, capsys, "deap")
    line_of = {line.split()[2]: line for line in lines[1:-1]}
    assert status == 1
    assert line_of["s01"].startswith("ok")
    assert "40 trials, 40.0 min" in line_of["s01"]
    for subject, message in (
        ("s02", "s02.dat: refused or truncated"),
        ("s03", "s03.dat: trial 7: labels [5.0, nan, 5.0, 5.0] not within 1..9"),
        ("s04", "s04.dat: 'data' has shape (40, 32, 10), expected (40, 40, 8064)"),
        ("s05", "s05.dat: refused or truncated"),
        ("s06", "s06.dat: refused or truncated"),
        ("s07", "subject s07 is absent"),
    ):
        assert line_of[subject].startswith("error"), subject
        assert message in line_of[subject]
    assert len(line_of) == 32
    assert tree(broken_deap) == before
    assert not (tmp_path / "touched").exists()  # nothing in a pickle is run


def test_what_a_reader_lets_pass_is_looked_at(esports):
    info, data = dataset_info("dreamer"), np.zeros((14, 128))
    good = Trial("1", "1", "c01", "c01", 1.0, {"eeg": Signal(data, 128.0)}, np.ones(3))
    assert verify.check_trial(info, good) == ""
    for change, message in (
        ({"signals": {"eeg": Signal(data[:3], 128.0)}}, "eeg has shape (3, 128), expected 14 channels"),
        ({"signals": {"eeg": Signal(data, 100.0)}}, "eeg at 100 Hz, expected 128"),
        ({"signals": {"eeg": Signal(data + np.inf, 128.0)}}, "eeg holds infinite numbers"),
        ({"targets": np.ones(2)}, "2 labels, expected 3"),
        ({"targets": np.array([1, np.nan, 1])}, "a label is no number"),
        ({"targets": np.array([1, 9, 1])}, "a label is not within 1..5"),
    ):
        assert verify.check_trial(info, replace(good, **change)) == message


def test_what_cannot_be_checked_is_said(tmp_path, capsys):
    for arguments, message in (
        ([], "no data set in it; `python -m himoe doctor` says what goes where"),
        (["deap"], "data set 'DEAP': nothing of it in"),
        (["daep"], "did you mean 'deap'?"),
        (["deap_twin"], "deap_twin is simulated"),
    ):
        assert main(["verify-data", "--data-root", str(tmp_path), *arguments]) == 1
        printed = capsys.readouterr()
        assert message in printed.out + printed.err
    (tmp_path / "deap").mkdir()
    (tmp_path / "deap" / intake.TRUSTED).write_text(json.dumps([]))
    (tmp_path / "deap/s01.dat").write_text("x")
    assert main(["verify-data", "--data-root", str(tmp_path)]) == 1
    assert "not a list of hashes" in capsys.readouterr().out


def test_recordings_are_whole(recordings, capsys, tmp_path):
    (tmp_path / "esports").mkdir()
    (tmp_path / "esports/matches").symlink_to(recordings / "matches")
    status, lines = verified(tmp_path, capsys)
    assert status == 0
    assert lines[-1] == "8 subjects looked at, 0 errors, 2 doubts"
    # the camera of the fourth seat looked at something of 51 to 54 degree C
    doubts = [line for line in lines if line.startswith("doubt")]
    assert [line.split()[2] for line in doubts] == ["amateurs-4", "pros-4"]
    assert "2 of 3 trials: facial_skin_temperature mostly outside 15..45 degC" in doubts[0]


@pytest.mark.parametrize(
    ("ohm", "is_doubted"),
    # skin has 0.01 to 100 uS: 2e5 ohm are 5 uS. In kilo-ohm, in microsiemens by mistake, or with its mean taken away it has not
    [(lambda r: r, False), (lambda r: r / 1e3, True), (lambda r: 1e6 / r, True), (lambda r: r - r.mean(), True)],
    ids=["ohm", "kilo-ohm", "microsiemens", "mean taken away"],
)
def test_skin_in_another_unit_is_doubted(ohm, is_doubted):
    resistance = 2e5 * np.exp(0.1 * np.sin(np.arange(1280) / 100))
    signal = Signal(deap.to_si("gsr", ohm(resistance)[None]), 128.0)
    trial = Trial("s01", "1", "v01", "v01", 10.0, {"gsr": signal}, np.full(4, 5.0))
    found = verify.doubts(dataset_info("deap"), trial)
    assert found == (["gsr mostly outside 1e-08..0.0001 S: another unit, or no contact?"] if is_doubted else [])
