"""Runs of the workflow that several tests make: a checkout of its files, the command, small configs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.conftest import ROOT

SMALL = {
    "datasets": ["deap_twin", "dreamer_twin"],
    "twin": {"subjects": 6, "trials": 6, "seconds": 16, "snr": 1.0},
    "splits": {"n_folds": 2},
    "training": {"epochs": 2, "crop_seconds": 12},
    "model_options": {"himoe": {"width": 16, "max_lag": 2}, "late_fusion": {"width": 16}},
    "conditions": {"missing_rate": [0, 0.5], "shift": [0, 2]},
    "statistics": {"n_bootstrap": 500},
}
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
    shutil.copy(ROOT / "Snakefile", folder)
    return folder


def snakemake(
    folder: Path, *args: str, env: dict[str, str] | None = None, timeout: float = 600, **kwargs
) -> subprocess.CompletedProcess:  # fmt: skip
    """Run snakemake in a folder and wait for its end."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"} | (env or {})
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=timeout, **kwargs)


def write_config(folder: Path, changes: dict | None = None) -> str:
    """Write the small run's config with some keys changed; the file's name."""
    (folder / "run.yaml").write_text(yaml.safe_dump(SMALL | (changes or {})))
    return "run.yaml"
