"""A fit that was stopped anywhere ends with the weights of one that was not."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from himoe import io
from himoe.config.sections import Tuning
from himoe.provenance import hash_file
from himoe.train import checkpoint, results
from himoe.train.loop import Trainer
from himoe.train.stack import Stack
from tests.conftest import ROOT
from tests.train.interrupted import ALONE, SPEC, TOGETHER, Killed, assert_same_fit, run, stop_after


@pytest.mark.parametrize("execution", [ALONE, TOGETHER], ids=["alone", "together"])
@pytest.mark.parametrize("seed", range(10))
def test_killed_anywhere_the_weights_are_the_same_to_the_bit(made, tmp_path, monkeypatch, seed, execution):
    """2 folds x (3 epochs of 3 to 4 steps, then trained again): killed twice at random, the second time in the resumed fit."""
    rng, clean = np.random.default_rng(seed), "clean" if execution is ALONE else "clean-2"
    with monkeypatch.context() as patched:
        stop_after(patched, int(rng.integers(1, 14 if execution is ALONE else 8)))
        with pytest.raises(Killed):
            run(made, tmp_path, execution=execution)
    with monkeypatch.context() as patched:
        stop_after(patched, int(rng.integers(1, 10)))
        with contextlib.suppress(Killed):  # what is left may be less than the steps until the second death
            run(made, tmp_path, execution=execution)
    if not (tmp_path / "weights").exists():
        run(made, tmp_path, execution=execution)
    assert_same_fit(made, tmp_path, clean)


@pytest.mark.parametrize("seed", range(3))
def test_killed_in_the_search_for_a_configuration_it_chooses_the_same(made, tmp_path, monkeypatch, seed):
    """Two folds side by side in two configurations, then each again in the one it chose: whatever was done is not done twice,
    and the weights are the same to the bit."""
    two, rng = SPEC.model_copy(update={"tuning": Tuning(configurations=2)}), np.random.default_rng(seed)
    with monkeypatch.context() as patched:
        total = stop_after(patched, 10**9)
        run(made, tmp_path / "clean", two, TOGETHER)
        n_steps = total[0]
    with monkeypatch.context() as patched:
        stop_after(patched, int(rng.integers(n_steps // 3, n_steps)))
        with pytest.raises(Killed):
            run(made, tmp_path / "killed", two, TOGETHER)
    with monkeypatch.context() as patched:
        left = stop_after(patched, 10**9)
        run(made, tmp_path / "killed", two, TOGETHER)
        assert left[0] < n_steps - n_steps // 3 + 4
    assert_same_fit(tmp_path, tmp_path / "killed")


def test_what_was_done_is_not_done_again(made, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        all_steps = stop_after(patched, 10**9)
        run(made, tmp_path / "whole")
    total = all_steps[0]
    with monkeypatch.context() as patched:
        stop_after(patched, total - 2)
        with pytest.raises(Killed):
            run(made, tmp_path)
    with monkeypatch.context() as patched:
        left = stop_after(patched, 10**9)
        run(made, tmp_path)
    assert left[0] == 3
    assert_same_fit(made, tmp_path)
    record = io.read_json(tmp_path / "record")
    assert record["resumed"]
    assert record["wall_seconds"] > max(f["seconds"] for f in record["folds"].values())  # both attempts
    assert not io.read_json(tmp_path / "whole/record")["resumed"]


PROGRAM = """
import sys
from pathlib import Path
from himoe import job
from himoe.train.loop import Trainer
from tests.train.interrupted import ALONE, SPEC, TRAINING, run
import logging
logging.basicConfig(level=logging.INFO)
train_epoch = Trainer.train_epoch
def announced(self, runs, stack, adam, state, *rest):
    if state.epoch == 2:
        print("in training", flush=True)
    train_epoch(self, runs, stack, adam, state, *rest)
Trainer.train_epoch = announced
longer = TRAINING.model_copy(update={"epochs": 4000, "patience": 4000})
execution = ALONE.model_copy(update={"checkpoint_seconds": int(sys.argv[3])})
run(Path(sys.argv[1]), Path(sys.argv[2]), SPEC.model_copy(update={"training": longer}), execution)
"""


def started(made, out, every):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(made), str(out), str(every)], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_asked_to_stop_it_leaves_its_state(made, tmp_path, number):
    """Asked in the middle of training, with no write due for a long time: how soon it leaves is a benchmark's business."""
    process = started(made, tmp_path, 1000)
    assert process.stdout.readline() == "in training\n"
    process.send_signal(number)
    _, log = process.communicate(timeout=120)
    assert process.returncode == checkpoint.REQUEUE
    assert "Traceback" not in log
    assert f"{signal.Signals(number).name}: state kept in" in log
    assert (tmp_path / ".resume").stat().st_size > 1000
    assert not (tmp_path / "weights").exists()


def test_killed_for_real_it_resumes(made, tmp_path):
    process = started(made, tmp_path, 0)
    assert process.stdout.readline() == "in training\n"  # its state was written after each step of the first epoch
    process.kill()
    process.communicate()
    assert (tmp_path / ".resume").exists()
    again = started(made, tmp_path, 0)
    for line in again.stderr:
        if "resumed at epoch" in line:
            break
    else:
        pytest.fail("it started from the beginning")
    again.kill()
    again.communicate()


def test_a_fold_that_broke_before_the_kill_stays_broken(made, tmp_path, monkeypatch):
    """Two folds together; fold 1 breaks in its third step, the job dies in the same epoch: the state knows."""
    real, calls = Stack.gradients, [0]

    def poisoned(self, *args):
        losses, gradient = real(self, *args)
        calls[0] += 1
        if calls[0] == 3:
            gradient[1] = np.nan
        return losses, gradient

    monkeypatch.setattr(Stack, "gradients", poisoned)
    run(made, tmp_path / "whole", execution=TOGETHER)
    assert [f["failed"] for f in io.read_json(tmp_path / "whole/record")["folds"].values()] == [
        "",
        "diverged in epoch 1, step 3",
    ]
    calls[0] = 0
    with monkeypatch.context() as patched:
        stop_after(patched, 4)
        with pytest.raises(Killed):
            run(made, tmp_path / "cut", execution=TOGETHER)
    run(made, tmp_path / "cut", execution=TOGETHER)
    assert hash_file(tmp_path / "cut/weights") == hash_file(tmp_path / "whole/weights")
    for out in ("whole", "cut"):
        folds = io.read_json(tmp_path / out / "record")["folds"]
        assert folds["1"]["failed"] == "diverged in epoch 1, step 3"


def test_a_stack_that_was_halved_stays_halved(made, tmp_path, monkeypatch, caplog):
    """Out of memory with two folds, killed with one: the next attempt does not try two again."""
    real, tried = Trainer.run, []

    def tight(self, runs, phase):
        tried.append(len(runs))
        if len(runs) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        real(self, runs, phase)

    monkeypatch.setattr(Trainer, "run", tight)
    with monkeypatch.context() as patched:
        stop_after(patched, 6)
        with pytest.raises(Killed):
            run(made, tmp_path, execution=TOGETHER)
    assert tried == [2, 1]
    tried.clear()
    with caplog.at_level("INFO", logger="himoe"):
        run(made, tmp_path, execution=TOGETHER)
    assert set(tried) == {1}
    assert io.read_json(tmp_path / "record")["stack"] == 1
    assert "resumed at epoch" in caplog.text
    a, b = (results.read_shard(p / "weights", p / "record") for p in (tmp_path, made / "clean"))
    assert all(
        np.array_equal(a[fold].state[n], b[fold].state[n]) for fold in b for n in b[fold].state
    )  # those of one at a time
