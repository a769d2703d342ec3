"""What a fit reports while it runs: JSON lines in the log, one live bar on a terminal, TensorBoard if asked for."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys

import pytest

from himoe.train.progress import Progress
from himoe.types import HimoeError
from tests.conftest import ROOT

PROGRAM = """
import sys
from himoe.train.progress import Progress
progress = Progress("himoe on x", 2, 4)
print("bar" if progress.bar else "no bar", flush=True)
for epoch in range(1, 4):
    progress.epoch(0, epoch, loss=1.0, valid_loss=0.9, valid_ccc=0.125)
if sys.argv[1] == "wait":
    sys.stdin.readline()
progress.fold(0)
progress.close("the end")
"""
CUT = """
from pathlib import Path
import sys
from himoe.train import shard
def cut(fits, *rest):
    fits.progress.epoch(0, 1, valid_ccc=0.5)
    sys.exit(75)
shard.fit_all = cut
from tests.train.interrupted import run
run(Path(sys.argv[1]), Path(sys.argv[1]) / "out")
"""


def test_off_a_terminal_there_is_one_json_line_per_epoch_in_the_log(caplog, capsys):
    progress = Progress("himoe on x", 2, 10)
    with caplog.at_level("INFO", logger="himoe"):
        progress.epoch(1, 5, loss=1.0, valid_loss=0.9, valid_ccc=1 / 3)
    shown = json.loads(caplog.messages[-1])
    assert shown.pop("seconds") >= 0
    assert shown == {"fit": "himoe on x", "fold": 1, "epoch": 5, "loss": 1.0, "valid_loss": 0.9, "valid_ccc": 0.33333}
    assert capsys.readouterr().err == ""
    progress.close("2 folds in 3 s")
    assert capsys.readouterr().err == "himoe on x · 2 folds in 3 s\n"


def on_terminal(ours, *args):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *args], cwd=ROOT, stdin=ours, stdout=subprocess.PIPE, stderr=ours, text=True,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "110"},
    )  # fmt: skip


def shown_until(text, theirs):
    """What the terminal shows until this text is there."""
    shown = b""
    while text.encode() not in shown:
        ready, _, _ = select.select([theirs], [], [], 120)
        assert ready, f"{text!r} not shown within 120 s:\n{shown.decode()}"
        shown += os.read(theirs, 65536)
    return shown.decode()


def everything(theirs):
    """What the terminal shows until the last process on it has ended."""
    shown = b""
    while True:
        try:
            shown += os.read(theirs, 65536)
        except OSError:  # the terminal is gone with the last process on it
            return shown.decode()


def test_on_a_terminal_a_bar_shows_folds_epochs_and_what_is_left():
    theirs, ours = pty.openpty()
    process = on_terminal(ours, "wait")
    os.close(ours)
    shown = shown_until("0/2 folds · epoch 3 · CCC +0.125", theirs)
    os.write(theirs, b"\n")  # now it may go on
    shown += everything(theirs)
    assert process.wait(timeout=120) == 0
    assert "1/2 folds" in shown
    assert "━" in shown
    assert "0:00:0" in shown  # what is left, estimated
    assert "himoe on x · the end" in shown


def test_two_fits_on_one_terminal_do_not_overwrite_each_other():
    """The first one has the bar; the second one says its last word only; a third one, later, has it again."""
    theirs, ours = pty.openpty()
    first = on_terminal(ours, "wait")
    assert first.stdout.readline() == "bar\n"
    second = on_terminal(ours, "go")
    assert second.stdout.readline() == "no bar\n"
    assert second.wait(timeout=120) == 0
    os.write(theirs, b"\n")  # now the first one may go on
    assert first.wait(timeout=120) == 0
    third = on_terminal(ours, "go")
    assert third.stdout.readline() == "bar\n"
    third.wait(timeout=120)
    os.close(ours)
    assert everything(theirs).count("the end") == 3


def test_an_interrupted_fit_gives_the_terminal_back(tmp_path):
    """Its cursor was hidden for the bar; it must come back when the fit leaves by the side door."""
    from tests.train.interrupted import write_made

    write_made(tmp_path)
    theirs, ours = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CUT, str(tmp_path)], cwd=ROOT, stdin=ours, stderr=ours, env=os.environ | {"TERM": "xterm"}
    )
    os.close(ours)
    shown = everything(theirs)
    assert process.wait(timeout=120) == 75
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_tensorboard_curves_are_written_if_asked_for(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    progress = Progress("himoe on x", 1, 3, tmp_path)
    for epoch in (1, 2, 3):
        progress.epoch(4, epoch, loss=1 / epoch, valid_ccc=0.1 * epoch)
    progress.close("the end")
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert sorted(events.Tags()["scalars"]) == ["fold-4/loss", "fold-4/valid_ccc"]
    assert [round(e.value, 3) for e in events.Scalars("fold-4/valid_ccc")] == [0.1, 0.2, 0.3]


def test_tensorboard_that_is_absent_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(HimoeError, match=r"execution\.tensorboard: .*; install tensorboard or set it to false"):
        Progress("himoe on x", 1, 3, tmp_path)


def test_a_log_is_text_with_time_and_plain_json_lines(tmp_path):
    from types import SimpleNamespace

    from himoe.job import job

    log = tmp_path / "fit.log"
    with job(SimpleNamespace(threads=1, log=[str(log)])):
        Progress("himoe on x", 1, 3).epoch(0, 1, loss=0.5)
    lines = log.read_text().splitlines()
    [record] = [json.loads(line) for line in lines if line.startswith("{")]
    assert record["loss"] == 0.5
    assert lines[-1].startswith("20")
    assert "done in" in lines[-1]
