"""The default run against its pass lines: <= 5 min, <= 2 GB, <= 120 jobs, orchestration <= 10%, a no-op <= 4 s (two cores)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import pytest
import yaml

from himoe.provenance import environment
from tests.benchmarks.cost import measured
from tests.conftest import ROOT
from tests.workflow.runs import checkout, snakemake


def test_default_run(tmp_path):
    folder = checkout(tmp_path)
    with measured() as cost:
        run = snakemake(folder)
    assert run.returncode == 0, run.stderr[-3000:]
    work = sum(float(s) for f in folder.rglob("*.log") for s in re.findall(r"done in ([\d.]+) s", f.read_text()))
    started = time.perf_counter()
    assert "Nothing to be done" in "".join((again := snakemake(folder)).stdout + again.stderr)
    idle = time.perf_counter() - started
    jobs = int(re.search(r"total\s+(\d+)", run.stdout + run.stderr)[1])
    print(f"\n{environment()}, {os.cpu_count()} cores")
    print(f"wall {cost.wall:.0f} s (line 300) · jobs {jobs} (line 120) · peak of all processes {cost.peak:.0f} MB (line 2048)")
    share = 1 - work / cost.cpu
    print(f"CPU {cost.cpu:.0f} s, in rules {work:.0f} s: orchestration {share:.1%} (line 10%) · no-op {idle:.1f} s (line 4)")
    assert cost.wall <= 300
    assert jobs <= 120
    assert cost.peak <= 2048
    assert share <= 0.10
    assert idle <= 4


def test_dry_run_of_the_full_plan(tmp_path):
    """Protocols, models, seeds and jobs of paper.yaml on both data sets at full size."""
    folder = checkout(tmp_path)
    plan = yaml.safe_load((folder / "config/paper.yaml").read_text())
    plan |= {"datasets": ["deap_twin", "dreamer_twin"], "twin": {"subjects": 32, "trials": 40, "seconds": 60}}
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan))
    started = time.perf_counter()
    run = snakemake(folder, "-n", "--configfile", "plan.yaml")
    spent = time.perf_counter() - started
    assert run.returncode == 0, run.stderr[-2000:]
    jobs = int(re.search(r"total\s+(\d+)", run.stdout + run.stderr)[1])
    print(f"\ndry run of {jobs} jobs: {spent:.1f} s (line 10)")
    assert spent <= 10
    assert jobs <= 5000  # of one run on a cluster


def test_parsing_costs_little():
    """A job of a cluster parses the Snakefile twice: CPU seconds of it beyond Snakemake's own start, median of three."""
    spent = {}
    for arguments in (("--version",), ("--list-rules",)):
        times = []
        for _ in range(3):
            with measured() as cost:
                subprocess.run([sys.executable, "-m", "snakemake", *arguments], cwd=ROOT, check=True, capture_output=True)
            times.append(cost.cpu)
        spent[arguments] = sorted(times)[1]
    parse = spent["--list-rules",] - spent["--version",]
    print(f"\nparsing the Snakefile: {parse:.2f} CPU s (line 1.0)")
    assert parse <= 1.0


@pytest.mark.parametrize("command", ["", "doctor", "plan", "verify-data"])
def test_help_comes_at_once(command):
    """Who asks for help waits: wall seconds, the quickest of three."""
    times = []
    for _ in range(3):
        with measured() as cost:
            subprocess.run([sys.executable, "-m", "himoe", *filter(None, [command]), "--help"], cwd=ROOT, check=True)
        times.append(cost.wall)
    print(f"\nhimoe {command} --help: {min(times):.2f} s (line 2)")
    assert min(times) <= 2
