"""Runs of the workflow that several tests make: a checkout of its files, the command, small configs, runs made once."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

SMALL = {
    "datasets": ["deap_twin", "dreamer_twin"],
    "twin": {"subjects": 6, "trials": 6, "seconds": 16, "snr": 1.0},
    "splits": {"n_folds": 2},
    "training": {"epochs": 2, "crop_seconds": 12},
    "execution": {"stack": 2},
    "model_options": {"himoe": {"width": 16, "max_lag": 2}, "late_fusion": {"width": 16}},
    "conditions": {"missing_rate": [0, 0.5], "shift": [0, 2]},
}
PHYSIOLOGY = ["ridge", "late_fusion", "himoe"]  # models of the small run that read signals
# One fit that is long enough to be stopped, and writes a checkpoint every second.
LONG = {
    "datasets": ["dreamer_twin"], "models": ["late_fusion"], "conditions": {}, "splits": {"n_folds": 2},
    "twin": {"subjects": 6, "trials": 4, "seconds": 16},
    "model_options": {"late_fusion": {"width": 16, "match_parameters": False}},
    "training": {"epochs": 150, "patience": 150, "crop_seconds": 12},
    "execution": {"checkpoint_seconds": 1},
}  # fmt: skip
LONG_FIT = "results/dreamer_twin/subject_kfold/late_fusion/seed-0/shard-0"


def checkout(folder: Path) -> Path:
    """The files of the workflow in a folder of their own, so that a test's results are its own."""
    for name in ("workflow", "config", "report", "envs", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("Snakefile", "CITATION.cff"):
        shutil.copy(ROOT / name, folder)
    return folder


def snakemake(
    folder: Path, *args: str, env: dict[str, str] | None = None, timeout: float = 1800, **kwargs
) -> subprocess.CompletedProcess:  # fmt: skip
    """Run snakemake in a folder and wait for its end."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"} | (env or {})
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=timeout, **kwargs)


def with_package(folder: Path) -> Path:
    """A checkout with a copy of the package in it."""
    shutil.copytree(ROOT / "himoe", folder / "himoe", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run_by_itself(folder: Path, *args: str, **variables: str) -> subprocess.CompletedProcess:
    """Run snakemake on run.yaml with the package of the folder, no data set's credentials but those that are given."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DEAP_", "PYTEST_", "PYTHONPATH"))} | variables
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *args, "--configfile", "run.yaml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)


def wait_until(seen: Callable[[], bool], process: subprocess.Popen, log: Path, seconds: float = 900) -> None:
    """Wait for something to be seen while a process runs that prints into ``log``."""
    end = time.monotonic() + seconds
    while not seen():
        assert process.poll() is None, f"ended before:\n{log.read_text()[-3000:]}"
        assert time.monotonic() < end, f"not seen within {seconds} s:\n{log.read_text()[-3000:]}"
        time.sleep(0.1)


def write_config(folder: Path, changes: dict | None = None) -> str:
    """Write the small run's config with some keys changed; the file's name."""
    (folder / "run.yaml").write_text(yaml.safe_dump(SMALL | (changes or {})))
    return "run.yaml"


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker to ask for it makes, and the others wait for. Who changes something in it, copies it."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, mark = base / name, base / f"{name}.made"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            mark.touch()
    return folder


def copied(run: Path, folder: Path) -> Path:
    """A copy of a run in which nothing is out of date; ``folder`` may exist."""
    return shutil.copytree(run, folder, symlinks=True, dirs_exist_ok=True)


def prepared(factory: pytest.TempPathFactory) -> Path:
    """A checkout in which the small run's DEAP twin is prepared."""

    def make(folder: Path) -> None:
        config = write_config(checkout(folder), {"datasets": ["deap_twin"]})
        done = snakemake(folder, "results/deap_twin/card.json", "--configfile", config)
        assert done.returncode == 0, done.stderr[-4000:]

    return made_once(factory, "small_data", make)
