"""Full-size twins on one core and on all (G15), each in a process of its own; the bytes are the same."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from himoe.provenance import environment, hash_file
from tests.benchmarks.cost import Cost, measured
from tests.conftest import ROOT

WRITE = """
import sys, time
from pathlib import Path
from himoe import registry
from himoe.data.twins import synthesize
from himoe.types import Size
name, root, n, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
info = registry.peek("datasets", name)["INFO"]
synthesize(name, root, Size(info.subjects[:n], info.n_trials, info.seconds), info.editions[0].name, 0.3, 0, threads)
print(time.thread_time())
"""


def simulated(dataset: str, root: Path, n_subjects: int, threads: int) -> tuple[Cost, float, dict[str, str]]:
    """What it costs, CPU seconds of that in the one thread that all others wait for, and the SHA-256 of every file."""
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
    with measured() as cost:
        command = [sys.executable, "-c", WRITE, dataset, str(root), str(n_subjects), str(threads)]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | one, check=True, capture_output=True, text=True)
    return cost, float(done.stdout), {str(p.relative_to(root)): hash_file(p) for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.mark.parametrize(("dataset", "n_subjects"), [("deap", 8), ("dreamer", 6)])
def test_g15_all_cores_simulate(dataset, n_subjects, tmp_path):
    """A quarter of the people, every trial of full length. Walls are of this machine as busy as it is; what idle cores would
    make of it follows from CPU seconds: those of the one thread that the others wait for, and the rest side by side."""
    cores = min(os.cpu_count() or 1, n_subjects)
    if cores < 2:
        pytest.skip("one core")
    walls: dict[int, list[float]] = {1: [], cores: []}
    said, ratios = {}, []
    for _ in range(3):
        for threads in walls:
            cost, alone, said[threads] = simulated(dataset, tmp_path / "twin", n_subjects, threads)
            walls[threads].append(cost.wall)
            of_one = f"{alone:.1f} of them in one thread"
            print(
                f"   {dataset}, {threads} core(s): {cost.wall:.1f} s, {cost.cpu:.1f} CPU-s ({of_one}), peak {cost.peak:.0f} MB"
            )
        ratios.append(cost.cpu / (alone + (cost.cpu - alone) / cores))  # of the last, which had all cores
    assert said[1] == said[cores]
    ratio, wall = statistics.median(ratios), statistics.median(a / b for a, b in zip(walls[1], walls[cores], strict=True))
    print(f"\n{environment()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(
        f"G15 {dataset}, {n_subjects} people on {cores} cores: {ratio:.2f}x by CPU seconds (line 1.6), {wall:.2f}x by the wall"
    )
    assert ratio >= 1.6
