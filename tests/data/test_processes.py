"""Simulations in several processes, and a file that several threads compress: the same bits whatever their number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from threadpoolctl import threadpool_info

from himoe.data.matfile import walk
from himoe.data.matfile_write import write_compressed
from himoe.data.processes import in_processes
from himoe.types import HimoeError

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")


def square(n: int) -> tuple[int, int]:
    return n * n, os.getpid()


def refuse(n: int) -> int:
    if n == 1:
        raise HimoeError("person 1: no such film")
    return n


def die(n: int) -> None:
    if n == 1:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does where memory is short


def blas_threads(_: int) -> int:
    np.eye(2) @ np.eye(2)
    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")


@pytest.mark.parametrize("threads", [1, 2, 9])
def test_what_is_made_of_each_in_their_order(threads):
    made = list(in_processes(square, range(5), threads))
    assert [n for n, _ in made] == [0, 1, 4, 9, 16]
    others = {pid for _, pid in made} - {os.getpid()}
    assert bool(others) == (threads > 1 and sys.platform == "linux")


@pytest.mark.parametrize("threads", [1, 2])
def test_linear_algebra_has_one_thread(threads):
    assert list(in_processes(blas_threads, range(2), threads)) == [1, 1]


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_person_lacks_is_told_as_it_is(threads):
    with pytest.raises(HimoeError, match=r"^person 1: no such film$"):
        list(in_processes(refuse, range(3), threads))


@linux
def test_a_killed_process_is_told_in_one_line():
    with pytest.raises(HimoeError, match="one of 2 processes was killed, for its memory most likely: use fewer cores"):
        list(in_processes(die, range(3), 2))


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@linux
def test_no_process_outlives_a_job_that_is_killed():
    code = (
        "import os, time; from himoe.data.processes import in_processes\n"
        "def work(n): os.write(1, b'%d\\n' % os.getpid()); time.sleep(60)\n"
        "list(in_processes(work, range(2), 2))"
    )
    job = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    workers = [int(job.stdout.readline()) for _ in range(2)]
    assert all(map(runs, workers))
    job.kill()
    job.wait()
    until = time.monotonic() + 10
    while any(map(runs, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    left = [pid for pid in workers if runs(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left


def test_a_file_compressed_in_parts_is_one_that_all_can_read(tmp_path):
    from scipy.io import loadmat

    rng, paths = np.random.default_rng(0), []
    cells = np.empty((1, 2), object)
    cells[0, 0], cells[0, 1] = rng.standard_normal((300, 3)), np.tile(np.arange(4.0), (50, 1))
    for threads, part in ((1, 1000), (3, 1000), (1, 1 << 22)):
        paths.append(tmp_path / f"{threads}-{part}.mat")
        write_compressed(paths[-1], "D", {"cells": cells, "n": 2.0, "who": "s"}, threads, part)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].stat().st_size != paths[2].stat().st_size
    for path in paths:
        read = loadmat(path, simplify_cells=True)["D"]
        assert (read["n"], read["who"]) == (2.0, "s")
        leaves = dict(walk(path, lambda at: True))
        for i, cell in enumerate(cells[0]):
            np.testing.assert_array_equal(read["cells"][i], cell)
            np.testing.assert_array_equal(leaves["D", "cells", i], cell)
