"""The file of an interrupted fit: whole, of this fit, or not used; and none where none is needed."""

from __future__ import annotations

import os
import pickle
import shutil
from dataclasses import replace

import pytest

from himoe.data.tokens import read_tokens, write_tokens
from himoe.provenance import hash_file
from himoe.train import checkpoint
from himoe.types import HimoeError
from tests.train.interrupted import SPEC, TRAINING, assert_same_fit, interrupted, run


def test_a_state_of_other_labels_is_not_used(made, tmp_path, monkeypatch, caplog):
    """A trial's digest is of its input alone; the state must not outlive a correction of its ratings."""
    shutil.copytree(made, tmp_path / "made", ignore=shutil.ignore_patterns("clean"))
    interrupted(tmp_path / "made", tmp_path / "out", monkeypatch)
    for path in (tmp_path / "made").glob("*.npz"):
        tokens = read_tokens(path)
        write_tokens(path, replace(tokens, y=tokens.y[:, ::-1].copy()))
    run(tmp_path / "made", tmp_path / "out")
    assert "not used (it is of another config, code or data)" in caplog.text
    run(tmp_path / "made", tmp_path / "anew")
    assert hash_file(tmp_path / "out/weights") == hash_file(tmp_path / "anew/weights")


def test_a_full_disk_does_not_stop_a_healthy_fit(made, tmp_path, monkeypatch, caplog):
    def no_space(self):
        raise HimoeError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint.Checkpoint, "write", no_space)
        run(made, tmp_path)
    assert "no space left; the fit goes on without" in caplog.text
    assert_same_fit(made, tmp_path)


def test_a_fit_without_a_state_leaves_signals_alone(made, tmp_path, monkeypatch):
    handled = []
    monkeypatch.setattr(checkpoint.Checkpoint, "handling_signals", lambda self: handled.append(self))
    run(made, tmp_path, SPEC.model_copy(update={"model": "ridge", "options": {}}))
    assert not handled


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "pickle", "other settings"])
def test_a_state_that_cannot_be_trusted_is_told_of_and_not_used(made, tmp_path, monkeypatch, caplog, damage):
    path, spec = interrupted(made, tmp_path, monkeypatch), SPEC
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[:-100])
    elif damage == "flip":
        path.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "pickle":
        path.write_bytes(content.split(b"\n")[0] + b"\n" + pickle.dumps(print))
    else:
        spec = SPEC.model_copy(update={"training": TRAINING.model_copy(update={"learning_rate": 1e-3})})
    run(made, tmp_path, spec)
    assert "not used (" in caplog.text
    assert "the fit starts from the beginning" in caplog.text
    if damage == "other settings":
        assert hash_file(tmp_path / "weights") != hash_file(made / "clean/weights")
    else:
        assert_same_fit(made, tmp_path)


def test_a_write_that_dies_leaves_the_state_before_it(tmp_path, monkeypatch):
    kept = checkpoint.Checkpoint(tmp_path / ".resume", "k", 0)
    kept.state.stack_size = 1
    kept.write()

    def no_space(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", no_space)
    kept.state.stack_size = 2
    with pytest.raises(HimoeError, match=r"\.resume: cannot be written \(No space left on device\)"):
        kept.write()
    again = checkpoint.Checkpoint(tmp_path / ".resume", "k", 0)
    assert again.load()
    assert again.state.stack_size == 1
    assert [p.name for p in tmp_path.iterdir()] == [".resume"]
