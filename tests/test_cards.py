"""Jobs side by side on one machine each take a card of their own. The cards here are names that no driver knows."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from uuid import uuid4

import pytest

from himoe import cards
from tests.conftest import ROOT

TAKE = """
import logging, sys
logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO, stream=sys.stdout)
from himoe import cards
from os import environ
card = cards.take()
print(card, environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
sys.stdin.readline()
"""
SNAKEFILE = """
rule all:
    input: expand("{n}.txt", n=range(3))
rule fit:
    output: "{n}.txt"
    log: "{n}.log"
    resources: gpu=1
    script: "fit.py"
"""
FIT = """
from himoe.job import job
with job(snakemake):
    import os, time
    time.sleep(2)
    open(snakemake.output[0], "w").write(os.environ["CUDA_VISIBLE_DEVICES"])
"""
LIST = """GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-0a)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-1b)
  MIG 3g.20gb     Device  0: (UUID: MIG-2c)
  MIG 1g.5gb      Device  1: (UUID: MIG-3d)
GPU 2: NVIDIA H100 80GB HBM3 (UUID: GPU-4e)
"""


@pytest.fixture
def pair():
    """Names of two cards that no other test has."""
    return [f"stand-in-{uuid4().hex[:12]}-{letter}" for letter in "ab"]


@pytest.fixture
def job():
    """Starts a job that takes a card and keeps it until it ends: its process, what it took, its line of the log."""
    started = []

    def start(names, **env):
        free = {key: value for key, value in os.environ.items() if not key.startswith(("SLURM", "CUDA"))}
        env = free | {"CUDA_VISIBLE_DEVICES": ",".join(names)} | env
        process = subprocess.Popen(
            [sys.executable, "-c", TAKE], cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        *said, card = lines_of(process)
        return process, card, "".join(said)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def lines_of(process):
    """What it says up to the card that it took, which stands twice: as taken, and as CUDA is shown it."""
    lines = [process.stdout.readline()]
    while lines[-1].startswith(("INFO", "WARNING")):
        lines.append(process.stdout.readline())
    taken, shown = lines[-1].rstrip("\n").split(" ", 1)
    assert not taken or taken == shown
    return [*lines[:-1], taken]


def test_each_job_has_a_card_of_its_own(job, pair):
    _, first, said = job(pair)
    _, second, _ = job(pair)
    assert [first, second] == pair
    assert said == f"INFO GPU {pair[0]}, one of 2\n"


@pytest.mark.parametrize("how", ["kill", "terminate", "end"])
def test_a_job_that_ends_leaves_its_card(how, job, pair):
    """Whatever ended it: nothing has to be tidied up."""
    process, first, _ = job(pair)
    job(pair)
    process.communicate("\n") if how == "end" else getattr(process, how)()
    process.wait(timeout=30)
    assert job(pair)[1:] == (first, f"INFO GPU {first}, one of 2\n")


def test_more_jobs_than_cards_share_the_one_with_the_fewest(job, pair):
    """a, b, a, b; then the first two jobs of a end, and its next one has it alone, though b was taken last."""
    jobs = [job(pair) for _ in range(4)]
    assert [card for _, card, _ in jobs] == [*pair, *pair]
    shared = f"WARNING all 2 GPUs are taken: {pair[0]} is shared with 1 other jobs; --resources gpu=2 lets no more run than"
    assert jobs[2][2].startswith(shared)
    for process, card, _ in jobs:
        if card == pair[0]:
            process.kill()
            process.wait()
    assert job(pair)[1:] == (pair[0], f"INFO GPU {pair[0]}, one of 2\n")


def test_a_place_in_the_middle_does_not_count_as_a_free_card(job, pair):
    """Of two on a, the first ends: a has one, b none."""
    first, _, _ = job(pair[:1])
    job(pair[:1])
    first.kill()
    first.wait()
    assert job(pair)[1] == pair[1]


def test_jobs_that_start_at_once_get_different_cards(pair, monkeypatch):
    """Both see the first card free; the one that comes too late finds the name taken, looks again and takes the other."""
    real, calls = cards._bind, []

    def late(name):
        calls.append(name)
        assert len(calls) > 1 or real(name)  # the other job, between look and grasp
        return real(name)

    monkeypatch.setattr(cards, "_bind", late)
    monkeypatch.setattr(cards, "_held", [])
    assert cards._hold(pair, "", {}) == (pair[1], 0)
    assert [name.split()[-1] for name in calls] == pair


def test_what_a_scheduler_gave_is_left_as_it_is(job, pair):
    """SLURM numbers the cards of each of its jobs from 0: two jobs with a card 0 have different ones. Jobs of a run inside an
    allocation of several share these out."""
    for _ in range(2):
        assert job(pair[:1], SLURM_JOB_ID="17")[1:] == ("", "")
    assert [job(pair, SLURM_JOB_ID=number)[1] for number in ("17", "18", "17")] == [pair[0], pair[0], pair[1]]


@pytest.mark.parametrize("given", ["", "-1", "NoDevFiles"])
def test_hidden_cards_are_none(job, given):
    assert job([given])[1:] == ("", "")


def test_cards_are_those_that_cuda_shows(monkeypatch, tmp_path):
    """Nothing behind one that is none; without the variable, what the driver lists, a MIG instance as a card."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, GPU-1b,-1,0")
    assert cards.visible() == ["2", "GPU-1b"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cards.visible() == []
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n[ $1 = -L ] && /bin/cat <<END\n{LIST}END\n")
    tool.chmod(0o755)
    assert cards.visible() == ["GPU-0a", "MIG-2c", "MIG-3d", "GPU-4e"]
    tool.write_text("#!/bin/sh\necho NVIDIA-SMI has failed\nexit 9\n")
    assert cards.visible() == []


@pytest.mark.slow(15)
def test_a_run_on_two_cards_uses_both(pair, tmp_path):
    """Snakemake itself, three jobs, two at a time: ``--resources gpu=2``."""
    for name, text in (("Snakefile", SNAKEFILE), ("fit.py", FIT)):
        (tmp_path / name).write_text(text)
    free = {key: value for key, value in os.environ.items() if not key.startswith("SLURM")}
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "3", "--resources", "gpu=2"], cwd=tmp_path, capture_output=True,
        text=True, timeout=300, env=free | {"CUDA_VISIBLE_DEVICES": ",".join(pair), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert {path.read_text() for path in tmp_path.glob("?.txt")} == {*pair}
    assert "shared" not in "".join(path.read_text() for path in tmp_path.glob("?.log"))


def test_a_card_by_its_number_is_the_card_by_its_id(monkeypatch, job):
    """One job names cards by number, the other takes all that the driver lists: they see one another."""
    unique = f"GPU-{uuid4().hex[:8]}"
    listed = f"GPU 0: H100 (UUID: {unique}-a)\nGPU 1: H100 (UUID: {unique}-b)\n"
    monkeypatch.setattr(cards, "_driver", lambda: listed)
    monkeypatch.setattr(cards, "_held", [])
    ids = cards._ids_of(["0", "1"])
    assert ids == {"0": f"{unique}-a", "1": f"{unique}-b"}
    assert cards._hold(["0", "1"], "", ids) == ("0", 0)
    named = [f"{unique}-a", f"{unique}-b"]
    assert cards._hold(named, "", cards._ids_of(named)) == (f"{unique}-b", 0)


def test_a_machine_without_such_sockets_shares_nothing_out(monkeypatch, caplog):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "x,y")
    monkeypatch.setattr(cards.socket.socket, "connect_ex", lambda self, name: errno.EACCES)
    assert cards.take() == ""
    assert "GPUs are not shared out among jobs: [Errno 13] Permission denied" in caplog.text
