"""Files: as the umask says, equal bytes for equal content, and nothing left of a writer that was killed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from himoe import io
from himoe.data.tokens import write_tokens
from himoe.types import HimoeError
from tests.conftest import make_tokens


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_who_may_read_a_file_is_as_the_umask_says(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        io.write_json(tmp_path / "new/a.json", {}, sealed=True)
        write_tokens(tmp_path / "new/a.npz", make_tokens(1, 1))
        io.write_arrays(tmp_path / "new/a.safetensors", {"x": np.ones(3)})
    finally:
        os.umask(before)
    assert {oct(p.stat().st_mode & 0o777) for p in (tmp_path / "new").iterdir()} == {oct(mode)}


def test_equal_recordings_are_equal_bytes_whatever_the_hash_seed(tmp_path):
    code = (
        "import sys, numpy as np; from himoe.data.recordings import write_trials; from himoe.types import Signal, Trial\n"
        "s = {n: Signal(np.zeros((2, 8)), 8.0) for n in ('eeg', 'gsr', 'ecg')}\n"
        "write_trials(sys.argv[1], [Trial('s01', '1', t, t, 1.0, s, np.ones(2)) for t in 'ab'])"
    )
    found = set()
    for seed in ("1", "2", "3"):
        file = tmp_path / f"{seed}.safetensors"
        subprocess.run([sys.executable, "-c", code, file], check=True, env=os.environ | {"PYTHONHASHSEED": seed})
        found.add(hashlib.sha256(file.read_bytes()).hexdigest())
    assert len(found) == 1


def test_a_folder_is_no_table(tmp_path):
    (tmp_path / "predictions.parquet").mkdir()
    for name, said in (
        ("predictions.parquet", "a folder, pipe or device where a file"),
        ("absent.csv", "not readable as a table"),
    ):
        with pytest.raises(HimoeError, match=said):
            io.read_table(tmp_path / name)


def test_what_a_killed_writer_left_is_swept_and_one_at_work_is_left_alone(tmp_path):
    old, young, other = (tmp_path / name for name in (".a[1].json.x1.json", ".a[1].json.x2.json", ".b.json.x3.json"))
    for path in (old, young, other):
        path.write_text("half")
    for path in (old, other):
        os.utime(path, (time.time() - 7200,) * 2)
    io.write_json(tmp_path / "a[1].json", {})
    assert sorted(p.name for p in tmp_path.iterdir()) == [young.name, other.name, "a[1].json"]
