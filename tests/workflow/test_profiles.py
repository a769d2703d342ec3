"""The profiles, read by Snakemake without a scheduler: what jobs ask for, also where a site has edited its copy."""

from __future__ import annotations

import re
import shutil

import pytest
import yaml

from tests.workflow.runs import SMALL, checkout, snakemake

pytest.importorskip("snakemake_executor_plugin_slurm", reason="the extra 'slurm' is not installed")
RUN = SMALL | {"datasets": ["dreamer_twin"], "models": ["train_mean", "ridge", "late_fusion", "himoe"]}


def planned(folder, run=RUN, profile="slurm"):
    """Every job of a dry run: rule, what is said of it, {resource: value}."""
    (folder / "run.yaml").write_text(yaml.safe_dump(run))
    done = snakemake(folder, "-n", "--workflow-profile", f"profiles/{profile}", "--configfile", "run.yaml")
    assert done.returncode == 0, done.stderr[-2000:]
    found = re.findall(r"^ *(?:local)?rule (\w+):\n(.*?)^ *resources: (.*?)$", done.stdout + done.stderr, re.M | re.S)
    return [(rule, facts, dict(pair.split("=", 1) for pair in resources.split(", "))) for rule, facts, resources in found]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    return planned(checkout(tmp_path_factory.mktemp("profile")))


def test_networks_alone_ask_for_a_gpu(jobs):
    asked = {}
    for rule, facts, resources in jobs:
        if rule in ("fit_model", "predict"):
            asked.setdefault(resources["gpu"], set()).add(re.search(r"model=(\w+)", facts)[1])
        else:
            assert "gpu" not in resources, rule
    assert asked == {"0": {"train_mean", "ridge"}, "1": {"late_fusion", "himoe"}}


def test_no_gpu_is_asked_for_where_the_run_wants_the_cpu(tmp_path):
    run = RUN | {"execution": {"device": "cpu"}}
    assert {r["gpu"] for rule, _, r in planned(checkout(tmp_path), run) if rule == "fit_model"} == {"0"}


def test_every_job_has_memory_and_an_end(jobs):
    assert {"fit_model", "predict", "take_in", "make_splits", "score_predictions"} <= {rule for rule, _, _ in jobs}
    for rule, _, resources in jobs:
        expected = {"fit_model": ("8000", "120"), "predict": ("8000", "30")}.get(rule, ("2000", "10"))
        if rule not in ("clean_subject", "all"):
            assert (resources["mem_mb"], resources["runtime"]) == expected, rule
        assert ("slurm_extra" in resources) == (rule == "fit_model")


def test_a_copy_keeps_what_a_site_does_not_change(tmp_path):
    folder = checkout(tmp_path)
    shutil.copytree(folder / "profiles/slurm", folder / "profiles/mine")
    path = folder / "profiles/mine/config.yaml"
    text = path.read_text()
    assert "  # slurm_account: " in text  # the line that a site fills in
    text = re.sub("  # slurm_account: .*", "  slurm_account: lab", text)
    path.write_text(text.replace("    runtime: 120", "    runtime: 600"))
    fits = (r for rule, facts, r in planned(folder, profile="mine") if rule == "fit_model" and "himoe" in facts)
    (fit,) = {tuple(sorted(r.items())) for r in fits}
    assert dict(fit).items() >= {"slurm_account": "lab", "runtime": "600", "mem_mb": "8000", "gpu": "1"}.items()
    assert "--signal=USR1@120" in dict(fit)["slurm_extra"]
