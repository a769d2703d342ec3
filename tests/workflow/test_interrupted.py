"""A workflow that is stopped or killed while it trains goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from himoe import io
from tests.workflow.runs import LONG_FIT, copied, snakemake, wait_until


@pytest.mark.slow(45)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_an_interrupted_workflow_resumes_its_fit(long_data, tmp_path, how):
    folder, target = copied(long_data, tmp_path), f"{LONG_FIT}/weights.safetensors"
    command = [sys.executable, "-m", "snakemake", "--cores", "2", target, "--configfile", "run.yaml"]
    log = tmp_path / "printed.txt"
    with log.open("w") as out:
        running = subprocess.Popen(command, cwd=folder, start_new_session=True, stdout=out, stderr=out)
    wait_until((folder / LONG_FIT / ".resume").exists, running, log)
    os.killpg(running.pid, how)  # as a terminal or a scheduler does: the workflow and its jobs
    assert running.wait() != 0
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
