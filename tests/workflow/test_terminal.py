"""A run that someone watches says how much time is left; its log and a pipe have Snakemake's own lines."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading

import pytest
import yaml

from tests.workflow.runs import checkout

pytestmark = pytest.mark.slow(25)
RUN = {
    "datasets": ["planted-base"], "planted": {"base": {"subjects": 6, "trials": 4, "seconds": 16}}, "conditions": {},
    "models": ["train_mean"], "seeds": [0, 1], "splits": {"n_folds": 2}, "figures": [], "tables": ["main"],
}  # fmt: skip
FITS = [f"results/planted-base/subject_kfold/train_mean/seed-{seed}/shard-0/run.json" for seed in (0, 1)]
DONE = re.compile(r"\d of 4 steps \(\d+%\) done(.*)")


def watched(folder, *arguments):
    """What snakemake writes on a terminal."""
    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def listen():
        try:
            while piece := os.read(ours, 4096):
                shown.append(piece)
        except OSError:  # the other end is closed
            return

    listener = threading.Thread(target=listen)
    listener.start()
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=theirs, timeout=600)
    os.close(theirs)
    listener.join()
    os.close(ours)
    return done.returncode, b"".join(shown).decode().replace("\r", "")


def test_time_left_is_said_on_the_terminal_and_in_no_log(tmp_path):
    """A simulation, the splits and two fits: after the first fit it is known how long the second one takes."""
    folder = checkout(tmp_path)
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN))
    status, shown = watched(folder, *FITS, "--configfile", "run.yaml")
    assert status == 0, shown[-2000:]
    said = DONE.findall(shown)
    assert len(said) == 4
    assert re.fullmatch(r", about \d+ s left(\x1b\[0m)?", said[2])
    assert not any("left" in other for other in (said[0], said[1], said[3]))
    (log,) = (folder / ".snakemake/log").glob("*.log")
    assert DONE.findall(log.read_text()) == ["", "", "", ""]
