"""The frame of every script: what goes wrong is a line, and nothing of a damaged file reaches a terminal raw."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from himoe.types import HimoeError
from tests.conftest import ROOT


def run(tmp_path, body, job="", **env):
    """A script of one statement in the frame, of a job with more to it; its log and what it printed."""
    log = tmp_path / "logs/a.log"
    code = f"""
from types import SimpleNamespace
from himoe.job import job
from himoe.types import HimoeError
with job(SimpleNamespace(threads=1, log=[{str(log)!r}], {job})):
    {body}
"""
    (tmp_path / "script.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT), **env}
    )
    return done.returncode, done.stderr.decode(), log.read_text(encoding="utf-8") if log.is_file() else ""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise HimoeError('a.csv: no')", "himoe: a.csv: no"),
        ("open('/proc/none/x')", "himoe: /proc/none/x: No such file or directory; check space and permissions ("),
        ("raise OSError(28, 'No space left on device')", "a.log: No space left on device; check space and permissions"),
        ("raise MemoryError", "himoe: out of memory; "),
    ],
)
def test_what_a_machine_refuses_is_one_line(tmp_path, body, said):
    code, printed, log = run(tmp_path, body)
    assert code == 1
    assert len(printed.splitlines()) == 1
    assert said in printed
    assert printed.removeprefix("himoe: ").strip() in log


def test_a_log_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "logs").write_text("a file where a folder must be")
    code, printed, _ = run(tmp_path, "pass")
    assert (code, len(printed.splitlines())) == (1, 1)
    assert "check space and permissions" in printed


def test_a_defect_shows_where_it_is_and_no_more_than_a_screen_holds(tmp_path):
    code, printed, log = run(tmp_path, "raise ValueError('\\x1b[31m' + 31_000_000 * 'x')")
    assert code == 1
    assert "Traceback" in printed
    assert "himoe: a defect of this package" in printed
    for text in (printed, log):
        assert "ValueError: " in text
        assert "\x1b" not in text
        assert len(text) < 10_000


def test_a_locale_without_the_letter_stops_no_log(tmp_path):
    code, printed, log = run(
        tmp_path, "import logging; logging.getLogger('himoe').info('Größe · ✓')", LC_ALL="C", PYTHONUTF8="0"
    )
    assert (code, printed) == (0, "")
    assert "Größe · ✓" in log


def test_errors_are_cut_and_escaped():
    message = str(HimoeError("a\x1b[2J\n" + 31_000_000 * "y"))
    assert len(message) < 2100
    assert message.isprintable()


def test_what_was_read_is_not_from_the_future(tmp_path):
    """The clock was set back: outputs would be older than what they are made of. A recording keeps its time."""
    scores, recording, old = tmp_path / "scores.csv", tmp_path / "data/s01.dat", tmp_path / "old.csv"
    recording.parent.mkdir()
    for path, hours in ((scores, 1), (recording, 1), (old, -1)):
        path.write_text("")
        os.utime(path, (time.time() + 3600 * hours,) * 2)
    before = {path: path.stat().st_mtime for path in (recording, old)}
    files = [str(path) for path in (scores, recording, old, tmp_path / "absent")]
    _, _, log = run(tmp_path, "pass", f"input={files}, params=SimpleNamespace(root={str(recording.parent)!r})")
    assert time.time() - 60 < scores.stat().st_mtime <= time.time()
    assert {path: path.stat().st_mtime for path in before} == before
    assert f"{scores}: from the future" in log


@pytest.mark.parametrize("gpu", [1, 0])
def test_a_job_that_asks_for_a_gpu_takes_one(tmp_path, gpu):
    """An estimator asks for none, and keeps none from others."""
    body = f"""
    import os
    from himoe import cards
    assert len(cards._held) == {gpu}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "stand-in-of-test-job"
"""
    job = f"resources=SimpleNamespace(gpu={gpu})"
    code, printed, log = run(tmp_path, body, job, CUDA_VISIBLE_DEVICES="stand-in-of-test-job")
    assert (code, printed) == (0, "")
    assert ("GPU stand-in-of-test-job, one of 1" in log) == bool(gpu)
