"""What would hang or fill memory is refused at once: pipes and devices, bombs, streams without an end, odd sizes."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from himoe import io
from himoe.config.files import read_file
from himoe.config.load import load_config
from himoe.data import intake, tokens
from himoe.data.matfile import walk
from himoe.data.recordings import read_trials, write_trials
from himoe.data.twins import synthesize
from himoe.data.untrusted import extract, read_npz, read_numpy_pickle
from himoe.splits.files import read_splits
from himoe.train.checkpoint import Checkpoint
from himoe.train.results import read_shard
from himoe.types import HimoeError, Signal, Size, Trial
from tests.conftest import ROOT, make_tokens
from tests.train.fits import SETTINGS, fit, folds

SIZE = Size(("s01", "s02"), 2, 8.0)
ODD = {
    "pipe": lambda path: os.mkfifo(path),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_file_is_not_waited_for(tmp_path, kind):
    root, started = tmp_path / "deap", time.perf_counter()
    synthesize("deap", root, SIZE, "python", 1.0, 0)
    (root / "s02.dat").unlink()
    ODD[kind](root / "s02.dat")
    with pytest.raises(HimoeError, match=r"s02\.dat: a folder, pipe or device under a recording's name; move it out"):
        intake.take_in("deap", intake.find("deap", root), SIZE, tmp_path / "unpacked")
    ODD[kind](tmp_path / "c.yaml")
    with pytest.raises(HimoeError, match=r"c\.yaml: not readable as a config file"):
        read_file(tmp_path / "c.yaml")
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("s.npz", tokens.read_tokens),
        ("s.safetensors", read_trials),
        ("run.json", io.read_json),
        ("scores.csv", io.read_table),
        ("splits.csv", read_splits),
        ("w.safetensors", lambda path: read_shard(path, path.with_name("known.json"))),
        ("s01.dat", read_numpy_pickle),
        ("s01.mat", lambda path: list(walk(path))),
        ("a.zip", lambda path: extract(path, path.parent / "out", ("*",))),
        (".resume", lambda path: Checkpoint(path, "key", 1.0).load()),
    ],
)
def test_no_reader_waits_for_a_pipe(tmp_path, kind, name, read):
    io.write_json(tmp_path / "known.json", {"weights_sha256": "0" * 64, "folds": {}})
    ODD[kind](tmp_path / name)
    started = time.perf_counter()
    with pytest.raises(HimoeError, match=rf"{name}: .*(a folder, pipe or device|no file)"):
        read(tmp_path / name)
    assert time.perf_counter() - started < 5


def test_a_subject_of_a_pipe_is_not_waited_for(tmp_path):
    """Where files stand by themselves each subject is read apart from intake."""
    synthesize("deap", tmp_path / "deap", SIZE, "python", 1.0, 0)
    (tmp_path / "deap/s02.dat").unlink()
    (tmp_path / "deap/s02.dat").symlink_to("/dev/zero")
    recordings = intake.find("deap", tmp_path / "deap")
    assert intake.find_record("deap", recordings, SIZE, "s01", False).files == ("s01.dat",)
    with pytest.raises(HimoeError, match=r"subject s02 is absent|s02\.dat: a folder, pipe or device"):
        intake.find_record("deap", recordings, SIZE, "s02", False)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"\0" * 64, "not used"),
        (b'{"key": "key", "sha256": "0", "bytes": 1}\n', "its length is not what was written"),
        (b'{"key": "other", "sha256": "0", "bytes": 8589934592}\n', "it is of another config, code or data"),
    ],
    ids=["zeros", "another length", "another fit"],
)
def test_a_state_of_gigabytes_is_not_read_before_it_is_known(tmp_path, caplog, head, message):
    with open(tmp_path / ".resume", "wb") as stream:
        stream.write(head)
        stream.truncate(len(head) + (8 << 30))  # sparse
    started = time.perf_counter()
    assert not Checkpoint(tmp_path / ".resume", "key", 1.0).load()
    assert message in caplog.text
    assert time.perf_counter() - started < 5


def test_a_crop_that_no_trial_fills_is_refused_before_memory_is(tmp_path):
    """A square of its tokens is what attention takes: here 200 MB a head and crop, for trials of 24 tokens."""
    training = SETTINGS.model_copy(update={"crop_seconds": 3600.0})
    with pytest.raises(
        HimoeError, match=r"crop_seconds: 3600 are 7200 tokens, and the longest trial has 24; set it to 12 or less"
    ):
        one_fold("himoe", tmp_path, training)
    one_fold("ridge", tmp_path, training)


def one_fold(model, tmp_path, training):
    table = make_tokens(4, 2)
    return fit(model, table, folds(table, n_folds=2, tmp=tmp_path)[0], settings=training)


def test_a_bomb_among_the_tokens_is_not_unpacked(tmp_path, monkeypatch):
    """Here of 64 MB where 16 are allowed; 4 GB are."""
    monkeypatch.setattr(tokens, "MAX_BYTES", 1 << 24)
    path = tmp_path / "s01.npz"
    np.savez_compressed(path, x=np.zeros(1 << 24, np.float32))
    assert path.stat().st_size < 1 << 17
    with pytest.raises(HimoeError, match=r"s01\.npz: not a tokens file \(it unpacks to 67108992 bytes, more than 16777216\)"):
        tokens.read_tokens(path)
    assert read_npz(path, 1 << 27, "x")["x"].shape == (1 << 24,)


@pytest.mark.parametrize(
    "raw",
    [
        {"training": {"crop_seconds": 1e6}},
        {"twin": {"seconds": 1e9}},
        {"datasets": ["planted-a"], "planted": {"a": {"seconds": 1e9}}},
    ],
)
def test_sizes_that_no_memory_holds_are_refused_at_parse(raw):
    with pytest.raises(HimoeError, match=r"seconds: Input should be less than or equal to \d+"):
        load_config(raw)


WRITE = """
import sys, numpy as np
from himoe.data.matfile import walk
from himoe.data.recordings import read_trials, write_trials
from himoe.types import Signal, Trial
signals = {"eeg": Signal(np.zeros((2, 8)), 8.0), "gsr": Signal(np.ones((1, 8)), 8.0)}
write_trials(sys.argv[1], [Trial("s", "1", "t", "t", 1.0, signals, np.ones(2))])
"""


def test_the_same_recordings_are_the_same_bytes(tmp_path):
    """In processes of their own: the library orders several entries of metadata by a hash that each process seeds anew."""
    for i in range(4):
        subprocess.run([sys.executable, "-c", WRITE, tmp_path / str(i)], check=True, cwd=ROOT)
    assert len({(tmp_path / str(i)).read_bytes() for i in range(4)}) == 1


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    import safetensors.numpy

    def full(*_):
        raise safetensors.SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(safetensors.numpy, "save_file", full)
    with pytest.raises(HimoeError, match=r"s\.safetensors: cannot be written \(.*No space left on device.*\); check space"):
        write_trials(
            tmp_path / "s.safetensors", [Trial("s", "1", "t", "v", 8.0, {"gsr": Signal(np.zeros((1, 8)), 1.0)}, np.ones(2))]
        )
    assert not list(tmp_path.iterdir())
