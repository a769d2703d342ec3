"""The default workflow in the environment it declares: made by conda, complete by itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from himoe import io
from tests.workflow.runs import SMALL, checkout, snakemake

pytestmark = [pytest.mark.conda, pytest.mark.slow(150)]
RUN = SMALL | {  # a fit of every kind; each job begins by activating the environment
    "models": ["ridge", "boosting", "himoe"], "datasets": ["dreamer_twin"], "conditions": {}, "figures": ["training"],
    "tables": ["main"],
}  # fmt: skip
IMPORTED_AS = {"pyyaml": "yaml", "scikit-learn": "sklearn"}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory, conda):
    """A finished run of ``--use-conda``, and its environment's folder."""
    folder = checkout(tmp_path_factory.mktemp("deployed"))
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN))
    done = snakemake(folder, "--use-conda", "--configfile", "run.yaml", env=conda)
    assert done.returncode == 0, done.stderr[-3000:]
    (environment,) = [p for p in (folder / ".snakemake/conda").iterdir() if p.is_dir()]
    return folder, environment


def run_in(environment: Path, code: str) -> subprocess.CompletedProcess:
    """Run code by an environment's own Python, nothing of the host's on its path."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    command = [environment / "bin/python", "-I", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, env=clean, timeout=300)


def test_the_run_was_made_by_the_environment_s_own_python(deployed):
    folder, environment = deployed
    assert (folder / "results/report.html").stat().st_size > 1000
    torch = run_in(environment, "import torch; print(torch.__version__)").stdout.strip()
    fit = folder / "results/dreamer_twin/subject_kfold/himoe/seed-0/shard-0"
    assert io.read_json(fit / "run.json")["environment"]["torch"] == torch
    for log in (fit / "fit_model.log", fit / "predict.log", folder / "results/logs/render_report.log"):
        assert f" by {environment}/bin/python" in log.read_text()


def test_every_declared_package_is_imported_by_the_environment_alone(deployed, root):
    """A script: rule appends the host's packages to its path, so that one missing here would go unnoticed in a run."""
    declared = yaml.safe_load((root / "envs/himoe.yaml").read_text())["dependencies"][-1]["pip"]
    names = dict(line.split("==") for line in declared)
    code = "import importlib, importlib.metadata as m\n"
    for name in names:
        code += f"importlib.import_module({IMPORTED_AS.get(name, name)!r}); print({name!r}, m.version({name!r}))\n"
    done = run_in(deployed[1], code)
    assert done.returncode == 0, done.stderr
    found = dict(line.split() for line in done.stdout.splitlines())
    assert {n: v.partition("+")[0] for n, v in found.items()} == names


def test_a_second_call_makes_no_environment_and_no_job(deployed, conda):
    again = snakemake(deployed[0], "--use-conda", "--configfile", "run.yaml", env=conda)
    assert "Nothing to be done" in again.stderr, again.stderr[-2000:]
    assert "Creating conda environment" not in again.stderr
