"""Copies, strangers and parts that would vanish: refused by name, never read twice, dropped or preferred in silence."""

from __future__ import annotations

import shutil
import zipfile

import pandas as pd
import pytest

from himoe.config.run import Config
from himoe.data import intake
from himoe.data.twins import synthesize
from himoe.datasets import case, esports
from himoe.types import HimoeError, Size

SIZE = Size(("s01", "s02"), 2, 8.0)
PLAYERS = Size(esports.INFO.subjects, 2, 60.0)


@pytest.fixture(scope="module")
def deaps(tmp_path_factory):
    """Two folders with files of the same names, and other content."""
    root = tmp_path_factory.mktemp("deaps")
    for seed, name in enumerate(("old", "new")):
        synthesize("deap", root / name, SIZE, "python", 1.0, seed)
    return root


def take(root, tmp_path):
    return intake.take_in("deap", intake.find("deap", root), SIZE, tmp_path / "unpacked")


def zipped(folder, archive):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(folder.glob("*.dat")):
            out.write(path, f"data_preprocessed_python/{path.name}")


ARRANGED = {
    "two archives": (("zip", "old", "data_preprocessed_python.zip"), ("zip", "new", "data_preprocessed_python (1).zip")),
    "an archive and loose files": (("zip", "old", "data_preprocessed_python.zip"), ("files", "new", ".")),
    "two folders": (("files", "old", "a"), ("files", "new", "b")),
    "a folder in the folder": (("files", "new", "."), ("files", "old", "backup")),
}


@pytest.mark.parametrize("how", ARRANGED)
@pytest.mark.parametrize("differ", [True, False], ids=["differ", "equal"])
def test_of_two_copies_that_differ_none_is_chosen(deaps, tmp_path, how, differ):
    root = tmp_path / "deap"
    for kind, which, where in ARRANGED[how]:
        source = deaps / (which if differ else "new")
        if kind == "zip":
            root.mkdir(exist_ok=True)
            zipped(source, root / where)
        else:
            shutil.copytree(source, root / where, dirs_exist_ok=True)
    if not differ:
        assert list(take(root, tmp_path)["records"]) == ["s01", "s02"]
        return
    with pytest.raises(HimoeError, match=r"s01\.dat.*differ.*leave the one that counts"):
        take(root, tmp_path)


def test_a_name_that_is_not_utf_8_is_listed(deaps, tmp_path):
    shutil.copytree(deaps / "new", tmp_path / "deap")
    (tmp_path / "deap" / b"\xff\n.txt".decode("utf-8", "surrogateescape")).write_text("x")
    assert take(tmp_path / "deap", tmp_path)["stray"] == [r"\udcff\n.txt"]


@pytest.fixture(scope="module")
def matches(tmp_path_factory):
    root = tmp_path_factory.mktemp("esports")
    synthesize("esports", root, PLAYERS, "csv", 1.0, 0)
    return root


def read(root):
    found = esports.records(root, PLAYERS, esports.INFO.editions[0])
    return {r.subject: [t.trial for t in esports.read(root, r, PLAYERS)] for r in found}


@pytest.mark.parametrize("name", ["match_1_backup", "match_1 (copy)", "match_01", "match_old"])
def test_a_copy_of_a_match_is_no_session(matches, tmp_path, name):
    shutil.copytree(matches, tmp_path / "e")
    assert read(tmp_path / "e")["amateurs-1"] == ["match_1", "match_2"]
    shutil.copytree(matches / "matches/match_1", tmp_path / "e/matches" / name)
    with pytest.raises(HimoeError, match=r"not named match_NUMBER; move it out of the folder"):
        read(tmp_path / "e")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: shutil.copytree(m / "player_1", m / "player_1_old"), "player_1_old: not named player_NUMBER"),
        (lambda m: shutil.copytree(m / "player_1", m / "player_5"), "player_5: there is no player amateurs-5; valid names: am"),
        (lambda m: (m / "meta_info.json").write_text('{"team": "Amateurs"}'), "there is no player Amateurs-1; valid names: am"),
        (lambda m: (m / "meta_info.json").unlink(), r"meta_info\.json: no 'team' in it"),
        (lambda m: (m / "meta_info.json").write_text("[" * 100_000), r"meta_info\.json: no 'team' in it"),
        (lambda m: (m / "player_1/gsr.csv").rename(m / "player_1/GSR.csv"), r"GSR\.csv: no file of the data set"),
    ],
    ids=["an old player", "a player too many", "another team", "no team", "nested", "another spelling"],
)
def test_no_part_of_a_match_is_dropped_in_silence(matches, tmp_path, change, message):
    shutil.copytree(matches, tmp_path / "e")
    change(tmp_path / "e/matches/match_1")
    with pytest.raises(HimoeError, match=message):
        read(tmp_path / "e")


CLOCKS = {
    "epoch": (lambda t: t + 1.6e9, "labels .* are the clocks one"),
    "milliseconds": (lambda t: t * 1000, "are not seconds of a match"),
    "shifted": (lambda t: t - 1000, "labels .* are the clocks one"),
    "one time stamp among seconds": (lambda t: t.where(t < t.max(), 1.6e9), "are not seconds of a match"),
    "one huge number": (lambda t: t.where(t < t.max(), 1e18), "are not seconds of a match"),
}


@pytest.mark.parametrize("file", ["gsr.csv", "eeg_metrics.csv"])
@pytest.mark.parametrize("how", CLOCKS)
def test_a_clock_of_its_own_is_no_absence(matches, tmp_path, file, how):
    change, message = CLOCKS[how]
    shutil.copytree(matches, tmp_path / "e")
    path = tmp_path / "e/matches/match_1/player_1" / file
    frame = pd.read_csv(path)
    frame.assign(time=change(frame["time"])).to_csv(path, index=False)
    with pytest.raises(HimoeError, match=rf"match_1/player_1/\w+\.csv: .*{message}"):
        read(tmp_path / "e")


def test_ratings_that_end_before_their_film_are_noticed(tmp_path):
    size = Size(("sub_1",), 2, 16.0)
    synthesize("case", tmp_path, size, "interpolated", 1.0, 0)
    path = tmp_path / "data/interpolated/annotations/sub_1.csv"
    (record,) = case.records(tmp_path, size, case.INFO.editions[0])
    assert len(list(case.read(tmp_path, record, size))) == 2
    rows = path.read_text().splitlines()
    path.write_text("\n".join(rows[:-100]) + "\n")  # 5 of the 16 s of the last film, cut at a row's end
    with pytest.raises(HimoeError, match=r"annotations/sub_1\.csv: film \d: rated for 11 of 16 s; is the file cut\?"):
        list(case.read(tmp_path, record, size))


def test_the_whole_sets_of_the_run_are_what_is_read(matches):
    assert set(read(matches)) == set(Config().size("esports").subjects)
