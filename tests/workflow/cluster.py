"""A real SLURM for tests: the machine's own, or one node of it, brought up by the scripts in HIMOE_TOOLS."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

from tests.conftest import stand_in
from tests.workflow.runs import wait_until

FAST = (
    *("--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "60"),
    *("--cores", "2", "--max-jobs-per-timespan", "100/1s"),
)


def answer(*command: str, timeout: float = 300) -> str:
    """Standard output of a command, stripped; empty where it fails or is absent."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def bring_up(folder: Path) -> bool:
    """Bring one node up with accounting. False where its programs, its script or root's rights are absent, or a site's
    configuration stands where that of the node must be."""
    programs = ("slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd", "sbatch")
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
    site = Path("/etc/slurm/slurm.conf")
    if (site.exists() and not site.is_symlink()) or os.geteuid() != 0 or not stand_in("slurm_up.sh"):
        return False
    if not all(shutil.which(p, path=path) for p in programs):
        return False
    Path("/etc/slurm").mkdir(exist_ok=True)
    with (folder / "up.log").open("w") as log:  # a file: its servers keep the descriptor open
        done = subprocess.run(["bash", str(stand_in("slurm_up.sh")), str(folder), "db"], stdout=log, stderr=log, timeout=600)
    assert done.returncode == 0, (folder / "up.log").read_text()[-2000:]
    return True


class Workflow:
    """A workflow that runs through the SLURM profile in a folder of its own."""

    def __init__(self, folder: Path, run: dict, *arguments: str):
        (folder / "run.yaml").write_text(yaml.safe_dump(run))
        self.folder, self.log = folder, folder / f"workflow-{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "snakemake", *arguments, "--workflow-profile", "profiles/slurm", *FAST]
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [*command, "--configfile", "run.yaml"], cwd=folder, stdout=out, stderr=out, start_new_session=True
            )

    def until(self, seen) -> None:
        """Wait for something to be seen while the workflow runs."""
        wait_until(seen, self.process, self.log)

    def end(self, seconds: float = 1800) -> int:
        """Wait for the end; its exit status."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"not done after {seconds} s\n{answer('squeue', '--long')}\n{self.text()[-3000:]}") from None

    def kill(self) -> None:
        """SIGKILL to snakemake, if it still runs; its jobs go on."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def text(self) -> str:
        """What it printed."""
        return self.log.read_text()

    def jobs(self, rule: str = "") -> list[str]:
        """SLURM's numbers of the jobs it submitted, in order; of one rule if named."""
        lines = [line for line in self.text().splitlines() if "has been submitted with SLURM jobid" in line]
        return [line.split("SLURM jobid ")[1].split()[0] for line in lines if f"rule_{rule}" in line]


def running(job: str) -> bool:
    """Whether a job is in the queue as running."""
    return answer("squeue", "--noheader", "--job", job, "--format", "%T") == "RUNNING"


def has_step(job: str) -> bool:
    """Whether a process of this machine watches over a step of the job."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"slurmstepd: [{job}." in path.read_text():
                return True
        except OSError:  # it has just ended
            continue
    return False


def processes(job: str) -> list[int]:
    """Numbers of this machine's processes that are of the job, those too of which SLURM has lost sight."""
    found, mark = [], f"SLURM_JOB_ID={job}\0".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has just ended
            found += [int(path.parent.name)] if mark in path.read_bytes() else []
    return found


def times(jobs: list[str]) -> list[tuple[str, str]]:
    """When each start of these jobs began and ended, in order; of one that SLURM has started again there are several."""
    rows = answer("sacct", "-X", "--duplicates", "--noheader", "-P", "-j", ",".join(jobs), "--format", "Start,End").split()
    return sorted((begin, end) for begin, _, end in (row.partition("|") for row in rows))


def account(job: str, field: str) -> str:
    """What the accounts say of a job."""
    return answer("sacct", "-X", "--noheader", "-P", "-j", job, "--format", field)
