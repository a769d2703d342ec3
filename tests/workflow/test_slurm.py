"""The workflow through the SLURM profile, on a real scheduler: it runs, and a fit that is stopped goes on where it was."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from itertools import pairwise

import pytest
import yaml

from himoe import io
from tests.workflow.cluster import Workflow, account, answer, has_step, processes, running, times
from tests.workflow.runs import LONG, LONG_FIT, copied, snakemake

pytestmark = [pytest.mark.cluster, pytest.mark.slow(150)]
EXECUTION = LONG["execution"] | {"device": "cpu"}
ON_CPU = LONG | {"execution": EXECUTION}
SHORT = ON_CPU | {
    "models": ["train_mean", "ridge", "late_fusion"], "training": LONG["training"] | {"epochs": 2}, "execution": EXECUTION,
    "figures": ["training"], "tables": ["main", "compute_card"],
}  # fmt: skip
ON_A_GPU = {"fit_model": {"gpu": 1}, "predict": {"gpu": 1}}  # stand-ins: given out and counted, but no torch computes on one


def own_profile(folder, changes):
    """The profile as a site edits it: a copy with some resources of some rules changed."""
    path = folder / "profiles/slurm/config.yaml"
    profile = yaml.safe_load(path.read_text())
    for rule, resources in changes.items():
        profile["set-resources"][rule] |= resources
    path.write_text(yaml.safe_dump(profile))


@pytest.fixture
def fitting(slurm, long_data, tmp_path):
    """The workflow while its one fit is under way, its first checkpoint written."""
    folder = copied(long_data, tmp_path)
    workflow = Workflow(folder, ON_CPU, f"{LONG_FIT}/weights.safetensors")
    yield workflow
    workflow.kill()
    answer("scancel", *workflow.jobs("fit_model"))


def under_way(workflow: Workflow) -> str:
    workflow.until(lambda: (workflow.folder / LONG_FIT / ".resume").exists())
    (job,) = workflow.jobs("fit_model")
    assert running(job)
    return job


def went_on(workflow: Workflow) -> bool:
    fit = workflow.folder / LONG_FIT
    resumed = io.read_json(fit / "run.json")["resumed"] and "resumed at epoch" in (fit / "fit_model.log").read_text()
    return resumed and not (fit / ".resume").exists()


def started_again(job: str, node: str) -> bool:
    """Whether SLURM has started the job again; where it drained the node and held the job, the step that was left having met
    the next
    one on a busy machine, they are released as an administrator would."""
    answer("scontrol", "update", f"nodename={node}", "state=resume")
    answer("scontrol", "release", job)
    answer("scontrol", "update", f"jobid={job}", "starttime=now")  # it would wait two minutes before it tries again
    return running(job) or account(job, "State") == "COMPLETED"


def test_the_workflow_runs_through_the_profile(slurm, long_data, tmp_path):
    if not slurm:
        pytest.skip("not our own cluster: its accounts may not count GPUs")
    folder = copied(long_data, tmp_path)
    own_profile(folder, ON_A_GPU)
    workflow = Workflow(folder, SHORT)
    assert workflow.end() == 0, workflow.text()[-3000:]
    assert (folder / "results/report.html").stat().st_size > 1000
    fits = workflow.jobs("fit_model")
    assert len(fits) == 3
    assert all("gres/gpu=1" in account(job, "AllocTRES") for job in [*fits, *workflow.jobs("predict")])
    assert {account(job, "ReqMem") for job in fits} == {"8000M"}
    assert {account(job, "Timelimit") for job in fits} == {"02:00:00"}
    assert "gpu" not in account(workflow.jobs("score_predictions")[0], "AllocTRES")
    assert len(re.findall("has been submitted with SLURM jobid", workflow.text())) <= 14  # small jobs ride together


def test_a_gpu_that_was_given_and_cannot_be_used_is_told(slurm, long_data, tmp_path):
    if not slurm:
        pytest.skip("not our own cluster: its GPUs may be usable")
    folder = copied(long_data, tmp_path)
    run = ON_CPU | {"execution": EXECUTION | {"device": "auto"}}
    workflow = Workflow(folder, run, f"{LONG_FIT}/weights.safetensors", "--retries", "0")
    assert workflow.end() != 0
    assert "this job was given a GPU (CUDA_VISIBLE_DEVICES=" in (folder / LONG_FIT / "fit_model.log").read_text()


def test_usr1_is_heard_and_the_fit_goes_on(fitting):
    job = under_way(fitting)
    subprocess.run(["scancel", "--signal=USR1", job], check=True)
    assert fitting.end() == 0, fitting.text()[-3000:]
    assert account(job, "State") == "FAILED"
    (log,) = fitting.folder.glob(f".snakemake/slurm_logs/rule_fit_model/*/{job}.log")
    assert "returned non-zero exit status 75" in log.read_text()  # heard by the fit: its own way to say "again"
    assert len(fitting.jobs("fit_model")) == 2
    assert went_on(fitting)


def test_a_fit_that_meets_its_time_limit_goes_on(slurm, long_data, tmp_path):
    """SIGTERM of SLURM at the end of the job's time, with no warning before it; it kills some seconds later."""
    folder = copied(long_data, tmp_path)
    own_profile(folder, {"fit_model": {"slurm_extra": "''"}})
    longer = ON_CPU | {"training": LONG["training"] | {"epochs": 1500, "patience": 1500}}
    workflow = Workflow(folder, longer, f"{LONG_FIT}/weights.safetensors")
    job = under_way(workflow)
    end = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 5))
    subprocess.run(["scontrol", "update", f"jobid={job}", f"endtime={end}"], check=True)
    assert workflow.end() == 0, workflow.text()[-3000:]
    assert account(job, "State") == "TIMEOUT"  # whether what it says of that reaches its log before SLURM kills it is left open
    assert len(workflow.jobs("fit_model")) == 2
    assert went_on(workflow)


def test_a_node_that_goes_down_costs_no_epoch(fitting, slurm):
    if not slurm:
        pytest.skip("not our own cluster")
    job, node = under_way(fitting), socket.gethostname().partition(".")[0]
    subprocess.run(["scontrol", "update", f"nodename={node}", "state=down", "reason=test"], check=True)
    try:
        # SLURM drains a node that has the same job twice, and takes the end of the first for that of the second.
        fitting.until(lambda: not running(job) and not has_step(job))
        first = processes(job)  # Snakemake's own may outlive the node's end; it waits, and writes nothing
    finally:
        answer("scontrol", "update", f"nodename={node}", "state=resume")  # it may have come back by itself
    try:
        fitting.until(lambda: started_again(job, node))
        assert fitting.end() == 0, fitting.text()[-3000:]
    finally:
        for number in first:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
    starts = times(fitting.jobs("fit_model"))
    assert len(times([job])) > 1  # SLURM has started it again itself
    assert all(end <= begin for (_, end), (begin, _) in pairwise(starts)), starts  # two at once would write the same files
    assert went_on(fitting)


def test_out_of_memory_is_tried_again_with_more(slurm, long_data, tmp_path):
    if not slurm:
        pytest.skip("not our own cluster")
    folder = copied(long_data, tmp_path)
    run = ON_CPU | {"training": LONG["training"] | {"epochs": 30}}
    own_profile(folder, {"fit_model": {"mem_mb": "500 * attempt"}})
    workflow = Workflow(folder, run, f"{LONG_FIT}/weights.safetensors")
    assert workflow.end() == 0, workflow.text()[-3000:]
    jobs = workflow.jobs("fit_model")
    assert len(jobs) > 1
    (log,) = folder.glob(f".snakemake/slurm_logs/rule_fit_model/*/{jobs[0]}.log")
    assert "exceeded memory limit" in log.read_text()
    assert [account(job, "ReqMem") for job in jobs[:2]] == ["500M", "1000M"]


def test_after_a_kill_of_snakemake_the_documented_steps_go_on(fitting, root):
    under_way(fitting)
    fitting.kill()
    name = re.search(r"SLURM run ID: (\S+)", fitting.text())[1]
    steps = (root / "docs/howto/slurm.md").read_text()
    for step in (
        "scancel --name=",
        "snakemake --unlock --configfile",
        "snakemake --workflow-profile profiles/slurm --configfile",
    ):
        assert step in steps
    assert answer("squeue", "--noheader", f"--name={name}")
    subprocess.run(["scancel", f"--name={name}"], check=True)
    assert snakemake(fitting.folder, "--unlock", "--configfile", "run.yaml").returncode == 0
    again = Workflow(fitting.folder, ON_CPU, f"{LONG_FIT}/weights.safetensors")
    assert again.end() == 0, again.text()[-3000:]
    assert went_on(again)
