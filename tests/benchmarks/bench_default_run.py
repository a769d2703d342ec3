"""The default run against its pass lines: <= 5 min, <= 2 GB, <= 120 jobs, orchestration <= 10%, a no-op <= 4 s (two cores)."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from threading import Event, Thread

import psutil
import yaml

from himoe.provenance import environment
from tests.conftest import ROOT
from tests.workflow.runs import checkout, snakemake


def _watch_memory(done: Event, peak: list[float]) -> None:
    me = psutil.Process()
    while not done.wait(0.2):
        total = 0
        for child in me.children(recursive=True):
            try:
                total += child.memory_info().rss
            except psutil.Error:
                continue
        peak[0] = max(peak[0], total / 2**20)


def test_default_run(tmp_path):
    folder, done, peak = checkout(tmp_path), Event(), [0.0]
    watcher = Thread(target=_watch_memory, args=(done, peak))
    watcher.start()
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run = snakemake(folder)
    wall = time.perf_counter() - started
    done.set()
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run.returncode == 0, run.stderr[-3000:]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    work = sum(float(s) for f in folder.rglob("*.log") for s in re.findall(r"done in ([\d.]+) s", f.read_text()))
    started = time.perf_counter()
    assert "Nothing to be done" in "".join((again := snakemake(folder)).stdout + again.stderr)
    idle = time.perf_counter() - started
    jobs = int(re.search(r"total\s+(\d+)", run.stdout + run.stderr)[1])
    print(f"\n{environment()}, {os.cpu_count()} cores")
    print(f"wall {wall:.0f} s (line 300) · jobs {jobs} (line 120) · peak of all processes {peak[0]:.0f} MB (line 2048)")
    share = 1 - work / cpu
    print(f"CPU {cpu:.0f} s, in rules {work:.0f} s: orchestration {share:.1%} (line 10%) · no-op {idle:.1f} s (line 4)")
    assert wall <= 300
    assert jobs <= 120
    assert peak[0] <= 2048
    assert share <= 0.10
    assert idle <= 4


def test_dry_run_of_the_full_plan(tmp_path):
    """Leave-one-subject-out on both data sets at full size, five seeds, jobs as in paper.yaml."""
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
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-m", "snakemake", *arguments], cwd=ROOT, check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        spent[arguments] = sorted(times)[1]
    parse = spent["--list-rules",] - spent["--version",]
    print(f"\nparsing the Snakefile: {parse:.2f} CPU s (line 1.0)")
    assert parse <= 1.0
