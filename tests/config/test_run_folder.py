"""Where a run is made: folders that can be written, files of a time that has been, a checkout whose path make can take."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

import pytest

from himoe.config import files
from himoe.config.files import check_times, check_writable
from himoe.types import HimoeError
from tests.conftest import ROOT


def test_a_file_from_the_future_is_named(tmp_path):
    old, new = tmp_path / "a.csv", tmp_path / "b c.csv"
    for path in (old, new):
        path.write_text("")
    os.utime(old, (time.time() + 30,) * 2)  # as far as a file server's clock may be ahead
    check_times(tmp_path, [old, str(new), tmp_path, tmp_path / "absent"])
    os.utime(new, (time.time() + 86400,) * 2)
    with pytest.raises(
        HimoeError, match=r"b c\.csv: from the future \(.*find .* -newermt now -exec touch -d now \{\} \+"
    ) as said:
        check_times(tmp_path, [old, new])
    assert f"find {tmp_path}/ " in str(said.value)


def test_results_are_held_by_one_run_until_it_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "HELD", [])
    (tmp_path / "link").symlink_to(tmp_path / "results")
    assert files.hold(tmp_path / "results") == ""
    assert files.hold(tmp_path / "link").startswith(f"{tmp_path}/results: another run writes into it; wait for its end")
    files.HELD.pop().close()  # as at the end of its process
    assert files.hold(tmp_path / "link") == ""


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    check_writable(tmp_path, tmp_path / "absent")
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)  # root may write anywhere
    with pytest.raises(HimoeError, match="cannot be written; make the run elsewhere: --directory FOLDER"):
        check_writable(tmp_path)


def test_a_file_where_the_results_belong_is_named(tmp_path):
    (tmp_path / "results").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("results", "link"):
        with pytest.raises(HimoeError, match=f"{name}: a file or a broken link where the run needs a folder"):
            check_writable(tmp_path / name)


@pytest.mark.skipif(not shutil.which("make"), reason="no make")
@pytest.mark.parametrize("name", ["a{b", "a:b"])
def test_make_says_of_such_a_folder_before_it_downloads(tmp_path, name):
    folder = tmp_path / name
    (folder / "envs").mkdir(parents=True)
    for file in ("envs/requirements.lock", "pyproject.toml", "Makefile"):
        shutil.copy(ROOT / file, folder / file)
    done = subprocess.run(["make", "setup"], cwd=folder, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"himoe: {folder}: braces or a colon in the path; move the checkout" in done.stdout
    assert not (folder / ".venv").exists()
