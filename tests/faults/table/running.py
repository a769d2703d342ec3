"""Whole runs and fits: killed, asked to stop, hung, under another environment; disks that are full; the page in a browser."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from himoe import io
from himoe.provenance import hash_file
from himoe.types import HimoeError
from tests.conftest import ROOT, make_tokens
from tests.faults.table.record import FAULTS, Fault, NotTried, fault, refused

SCRIPT = "<script>document.title = 'it ran'</script>"
TINY = {
    "datasets": ["planted-a"],
    "planted": {"a": {"subjects": 4, "trials": 3, "seconds": 20}},
    "models": ["train_mean", "late_fusion"],
    "conditions": {},
    "splits": {"n_folds": 2},
    "model_options": {"late_fusion": {"width": 16, "match_parameters": False}},
    "training": {"epochs": 40, "patience": 40, "crop_seconds": 12},
    "execution": {"checkpoint_seconds": 0},
    "figures": [],
    "tables": ["main"],
    "title": SCRIPT,
}
FIT = "results/planted-a/subject_kfold/late_fusion/seed-0/shard-0"
RESULTS = ("*.npz", "*.csv", "*.safetensors", "*.parquet", "truth.json")
ODD = {"PYTHONHASHSEED": "2", "TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "COLUMNS": "40"}


def checkout(folder: Path) -> Path:
    """The workflow's files and the tiny config."""
    from tests.workflow.runs import checkout as of_workflow

    folder.mkdir(exist_ok=True)
    of_workflow(folder)
    (folder / "run.yaml").write_text(yaml.safe_dump(TINY))
    return folder


def snakemake(folder: Path, *args: str, **variables: str) -> subprocess.Popen[str]:
    """Started, in a process group of its own; what it prints stands in ``printed.txt``."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "run.yaml", *args]
    known = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")} | {"PYTHONPATH": str(ROOT)}
    with (folder / "printed.txt").open("w") as out:
        return subprocess.Popen(
            command, cwd=folder, env=known | variables, text=True, stdout=out, stderr=out, start_new_session=True
        )


def finished(folder: Path, *args: str, code: int = 0, **variables: str) -> str:
    """What a run printed that had to end with ``code``."""
    found = snakemake(folder, *args, **variables).wait(600)
    printed = (folder / "printed.txt").read_text()
    assert found == code, f"ended with {found}: {printed[-300:]}"
    return printed


@cache
def undisturbed() -> Path:
    """A finished run, made once."""
    folder = checkout(Path(tempfile.mkdtemp()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    finished(folder, PYTHONHASHSEED="1")
    return folder


def hashes(folder: Path) -> dict[str, str]:
    """Of all that holds numbers."""
    files = sorted(path for pattern in RESULTS for path in (folder / "results").rglob(pattern))
    return {str(path.relative_to(folder)): hash_file(path) for path in files}


def wait_until(seen: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 300) -> None:
    """Until something is seen while a process runs."""
    end = time.monotonic() + seconds
    while not seen():
        assert process.poll() is None, "it ended before"
        assert time.monotonic() < end, f"not seen within {seconds} s"
        time.sleep(0.02)


@fault(
    "interrupted",
    "kill -9 of the whole workflow in mid-fit, then another hash seed, time zone and width",
    "two documented steps, and equal bits",
    900.0,
)
def _(folder: Path) -> str:
    known = hashes(undisturbed())
    running = snakemake(checkout(folder / "run"), **ODD)
    wait_until((folder / "run" / FIT / ".resume").exists, running)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert "--unlock" in finished(folder / "run", code=1)
    finished(folder / "run", "--unlock")
    finished(folder / "run", "--rerun-incomplete", **ODD)
    assert io.read_json(folder / "run" / FIT / "run.json")["resumed"], "it started from the beginning"
    other = hashes(folder / "run")
    assert other == known, f"differ: {[n for n in known if other.get(n) != known[n]]}"
    return f"resumed; {len(known)} files of equal bits"


@fault("changed by hand", "scores of a finished run, then its report again", "the run stops with file and remedy", 900.0)
def _(folder: Path) -> str:
    shutil.copytree(undisturbed(), folder / "run", symlinks=True)
    scores = folder / "run/results/scores.csv"
    scores.write_text(scores.read_text().replace("0.", "0.9", 5))
    printed = finished(folder / "run", code=1)
    line = next(line for line in printed.splitlines() if "changed since it was written" in line)
    return line[line.index("results") :]


@fault("page", "markup in the title, in a browser", "text; nothing runs", 900.0)
def _(folder: Path) -> str:
    from tests.workflow.browser import Page, find_chromium

    if not find_chromium():
        raise NotTried("needs Chromium")
    with Page(folder / "profile") as page:
        page.open((undisturbed() / "results/report.html").as_uri())
        assert page.evaluate("document.title") != "it ran"
        assert SCRIPT in page.evaluate("document.body.innerText"), "the title is not shown as it is"
        assert not [script for script in page.evaluate("[...document.scripts].map(s => s.textContent)") if "it ran" in script]
        assert not page.complaints()
    return "shown as text, nothing ran"


PROGRAM = """
import sys, time
from pathlib import Path
from himoe.train.loop import Trainer
from tests.train.interrupted import ALONE, SPEC, TRAINING, run
train_epoch = Trainer.train_epoch
def hung(self, runs, stack, adam, state, *rest):
    if state.epoch == 2:
        print("hung", flush=True)
        while True:
            time.sleep(0.1)
    train_epoch(self, runs, stack, adam, state, *rest)
Trainer.train_epoch = hung
longer = TRAINING.model_copy(update={"epochs": 9})
run(Path(sys.argv[1]), Path(sys.argv[2]), SPEC.model_copy(update={"training": longer}), ALONE)
"""


@fault("interrupted", "a fit that hangs, asked to stop twice", "it leaves with 'try again later', its last state kept", 120.0)
def _(folder: Path) -> str:
    from himoe.train.checkpoint import PATIENCE_SECONDS, REQUEUE
    from tests.train.interrupted import write_made

    write_made(folder)
    command = [sys.executable, "-c", PROGRAM, str(folder), str(folder / "out")]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.readline() == "hung\n"
    process.send_signal(signal.SIGTERM)
    time.sleep(PATIENCE_SECONDS + 0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, printed = process.communicate(timeout=30)
    assert process.returncode == REQUEUE, process.returncode
    assert "Traceback" not in printed
    assert (folder / "out/.resume").stat().st_size > 1000
    return f"ended with {REQUEUE}, its state kept"


@contextlib.contextmanager
def small_files(n_bytes: int) -> Iterator[None]:
    """No file may grow beyond ``n_bytes``: a disk that fills up, without a disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _table() -> Any:
    import pandas as pd

    return pd.DataFrame({"x": np.random.default_rng(0).standard_normal(20_000)})


def _tokens(path: Path) -> None:
    from himoe.data.tokens import write_tokens

    write_tokens(path, make_tokens(2, 4, 200))


def _recordings(path: Path) -> None:
    from himoe.data.recordings import write_trials
    from himoe.types import Signal, Trial

    write_trials(path, [Trial("s", "1", "t", "t", 8.0, {"gsr": Signal(np.zeros((1, 20_000)), 1.0)}, np.ones(2))])


def _state(path: Path) -> None:
    import torch

    from himoe.train.checkpoint import Checkpoint

    kept = Checkpoint(path, "key", 1.0)
    kept.state.current = {"w": torch.zeros(20_000)}
    kept.write()


WRITERS: dict[str, Callable[[Path], None]] = {
    "s.npz": _tokens,
    "s.safetensors": _recordings,
    ".resume": _state,
    "p.parquet": lambda p: io.write_table(p, _table(), sealed=True),
    "s.csv": lambda p: io.write_table(p, _table(), sealed=True),
    "r.json": lambda p: io.write_json(p, list(range(9999)), sealed=True),
    "report.html": lambda p: io.write_text(p, "x" * 99_999),
}


def full(write: Callable[[Path], None], name: str, folder: Path) -> str:
    """Written once, then again where there is no more room: what was there is there, and nothing beside it."""
    write(folder / name)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with small_files(4096):
        seen = refused(lambda: write(folder / name), name)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before, "what was there has changed"
    return seen.replace(os.strerror(errno.EFBIG), "no room")


FAULTS.extend(
    Fault("full disk", name, "one line, the old file whole", partial(full, write, name), 10.0)
    for name, write in WRITERS.items()
)


def died(seconds: float, folder: Path) -> str:
    """A process that writes a table again and again is killed; what is there is whole."""
    program = (
        "import sys, pandas as pd\nfrom himoe import io\nn = 0\nwhile True:\n    n += 1\n"
        "    io.write_table(sys.argv[1], pd.DataFrame({'x': [n] * 50_000}), sealed=True)\n    print(n, flush=True)\n"
    )
    command = [sys.executable, "-c", program, str(folder / "t.csv")]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    process.communicate()
    try:
        values = io.read_table(folder / "t.csv")["x"]
    except HimoeError:  # killed between the seal and the file
        refused(lambda: io.read_table(folder / "t.csv"), "changed since it was written")
        return "whole, or told of"
    assert len(values) == 50_000
    assert values.nunique() == 1
    return "whole, or told of"


FAULTS.extend(
    Fault("interrupted", f"kill -9 while a table is written, {n}", "whole, or told of", partial(died, 0.02 + 0.037 * n), 30.0)
    for n in range(1, 6)
)
