"""What cannot fit into memory is refused before it is read, with the bytes that it needs."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.data import memory, reader
from himoe.data.reader import Reader
from himoe.data.tokens import read_tokens, write_tokens
from himoe.train import networks
from himoe.types import HimoeError
from tests.conftest import make_tokens
from tests.train.fits import fits_of, folds

MEMINFO = "MemTotal:  8000 kB\nMemFree:   100 kB\nMemAvailable:   4000 kB\n"


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A machine with 4,000 KiB to give: where its groups of processes are."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(MEMINFO)
    (tmp_path / "proc/self/cgroup").write_text("0::/slurm/job_7\n")
    (tmp_path / "groups/slurm/job_7").mkdir(parents=True)
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    return tmp_path / "groups"


def bound(group, most, used, cached):
    for name, text in (("max", most), ("current", used), ("stat", f"anon 5\nfile {cached}\nslab 9")):
        (group / f"memory.{name}").write_text(f"{text}\n")


def test_bytes_of_tokens_worked_by_hand():
    """24 tokens of 5 features in float32, 2 modalities, a time and 2 targets: 24 x (20 + 2 + 4 + 8); 2 offsets of 8 bytes."""
    assert memory.bytes_of(make_tokens(1, 1, 24)) == 24 * 34 + 2 * 8


def test_free_is_what_the_machine_can_give_and_its_groups_allow(system):
    assert memory.free_bytes() == 4000 * 1024
    bound(system / "slurm/job_7", "max", 5, 0)
    assert memory.free_bytes() == 4000 * 1024
    bound(system / "slurm", 3_000_000, 1_000_000, 200_000)  # the cache can go: 3,000,000 - 800,000
    assert memory.free_bytes() == 2_200_000
    bound(system / "slurm/job_7", 100, 300, 50)
    assert memory.free_bytes() == 0


def test_a_system_that_does_not_say_refuses_nothing(system, monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "PROC", tmp_path / "none")
    assert memory.free_bytes() is None
    memory.refuse_beyond(10**18, None, "tokens", "memory", "")


def test_this_machine_has_some():
    assert memory.free_bytes() is None or memory.free_bytes() > 1 << 20


def test_tokens_beyond_memory_are_refused_before_a_file_is_read(tmp_path, monkeypatch):
    tokens, read = make_tokens(2, 2, 8), []
    for subject in ("s0", "s1"):
        own = tokens.select([i for i, t in enumerate(tokens.trials) if t.subject == subject])
        write_tokens(tmp_path / f"{subject}.npz", own)
    files = sorted(tmp_path.glob("*.npz"))
    needed = 2 * sum(path.stat().st_size for path in files)
    monkeypatch.setattr(reader, "read_tokens", lambda path: read.append(path) or read_tokens(path))
    monkeypatch.setattr(reader, "free_bytes", lambda: needed - 1)
    with pytest.raises(HimoeError, match=f"tokens of 2 people need {needed:,} bytes of memory, and {needed - 1:,} are free; "):
        Reader(files).load({"s0", "s1"})
    assert not read
    monkeypatch.setattr(reader, "free_bytes", lambda: needed)
    np.testing.assert_array_equal(Reader(files).load({"s0", "s1"}).x, tokens.x)


def test_tokens_beyond_a_gpu_are_refused_before_they_are_copied(tokens, tmp_path, monkeypatch):
    split = folds(tokens, tmp=tmp_path)[0]
    n_trials = len(split.train) + len(split.valid)
    needed = n_trials * 24 * 34 + 8 * (n_trials + 1)
    monkeypatch.setattr(networks, "free_on", lambda device: needed - 1)
    with pytest.raises(HimoeError, match=f"tokens of 4 people need {needed:,} bytes of GPU memory, .*execution.device: cpu"):
        list(fits_of("late_fusion", tokens, {"width": 16, "match_parameters": False}).fit([split]))
