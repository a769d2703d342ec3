"""A workflow that is stopped or killed while it trains goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

from himoe import io
from tests.workflow.runs import LONG, LONG_FIT, checkout, snakemake


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_an_interrupted_workflow_resumes_its_fit(tmp_path, how):
    folder, target = checkout(tmp_path), f"{LONG_FIT}/weights.safetensors"
    (folder / "run.yaml").write_text(yaml.safe_dump(LONG))
    command = [sys.executable, "-m", "snakemake", "--cores", "2", target, "--configfile", "run.yaml"]
    running = subprocess.Popen(
        command, cwd=folder, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 120
    while not (folder / LONG_FIT / ".resume").exists():
        assert time.monotonic() < until
        assert running.poll() is None
        time.sleep(0.1)
    os.killpg(running.pid, how)  # as a terminal or a scheduler does: the workflow and its jobs
    running.communicate(timeout=30)
    assert running.returncode != 0
    assert (folder / LONG_FIT / ".resume").exists()
    assert not (folder / target).exists()
    if how == signal.SIGKILL:
        locked = snakemake(folder, target, "--configfile", "run.yaml")
        assert locked.returncode != 0
        assert "--unlock" in locked.stderr
        assert snakemake(folder, "--unlock", "--configfile", "run.yaml").returncode == 0
    done = snakemake(folder, target, "--configfile", "run.yaml")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "resumed at epoch" in (folder / LONG_FIT / "fit_model.log").read_text()
    assert io.read_json(folder / LONG_FIT / "run.json")["resumed"]
    assert not (folder / LONG_FIT / ".resume").exists()
