"""CONTRIBUTING's recipes are followed to the letter: every file at its path, every config line, every command."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from himoe.names import CEILINGS
from tests.conftest import ROOT
from tests.workflow.recipes import COMMANDS, FILES

pytestmark = pytest.mark.slow(70)
CHECK = re.compile(r"^python -m pytest -q tests/contract (tests/\w+/test_(\w+)\.py) -k \2$")
NEW = re.compile(r"^python -m himoe new (\w+) (\w+)$")
KINDS = {"datasets", "models", "conditions", "controls", "figures", "tables"}
NETWORK = "python -m himoe new model one_layer"  # the one template that no recipe shows


def run(folder: Path, command: str) -> subprocess.CompletedProcess:
    """A line as someone types it, in an environment that is active."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTEST_CURRENT_TEST", "PYTHONPATH")} | {"PATH": path}
    return subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, env=environment, timeout=600)


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A fresh checkout in which all recipes were followed."""
    folder = tmp_path_factory.mktemp("recipes")
    litter = shutil.ignore_patterns("__pycache__")
    for name in ("himoe", "tests", "workflow", "config", "report", "envs", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=litter)
    for name in ("Snakefile", "pyproject.toml", "CONTRIBUTING.md", "CITATION.cff"):
        shutil.copy(ROOT / name, folder)
    for command in [*filter(NEW.match, COMMANDS), NETWORK]:
        done = run(folder, command)
        assert done.returncode == 0, done.stderr
        if command == NETWORK:
            (folder / "next").write_text(done.stdout.splitlines()[2].removeprefix("next: "))
    for path, text in FILES.items():
        if path.endswith(".yaml"):
            (folder / path).write_text(text)
    return folder


def test_there_is_a_recipe_for_every_kind_of_plug_in():
    assert {path.split("/")[1] for path in FILES if path.endswith(".py")} == KINDS
    for pattern in (CHECK, NEW):
        assert sorted(m[2] for c in COMMANDS if (m := pattern.match(c))) == sorted(
            Path(p).stem for p in FILES if p.endswith(".py")
        )
    run_it = ["snakemake --cores 1 --configfile config/mine.yaml"]
    assert [c for c in COMMANDS if not CHECK.match(c) and not NEW.match(c)] == run_it


def test_a_recipe_is_what_its_command_writes(followed):
    """To the letter, but for the first line, which says where it goes."""
    for path, text in FILES.items():
        if path.endswith(".py"):
            assert f"# {path}\n{(followed / path).read_text()}" == text


def test_recipes_are_written_as_the_rest_of_the_code(followed):
    tests = [m[1] for c in COMMANDS if (m := CHECK.match(c))]
    files = [path for path in FILES if path.endswith(".py")] + tests
    files = " ".join([*files, "himoe/models/one_layer.py", "tests/models/test_one_layer.py"])
    done = run(followed, f"ruff check {files} && ruff format --check {files}")
    assert done.returncode == 0, done.stdout + done.stderr


def test_contract_tests_run_over_every_new_plug_in(followed):
    """The checks of all recipes in one call: what differs between them is the test of their own and the name after -k."""
    checks = [m for c in COMMANDS if (m := CHECK.match(c))]
    names = [m[2] for m in checks]
    command = f"python -m pytest -q tests/contract {' '.join(m[1] for m in checks)} -rp -k '{' or '.join(names)}'"
    done = run(followed, command)
    assert done.returncode == 0, done.stdout[-4000:]
    for check, name in zip(checks, names, strict=True):
        assert re.search(rf"^PASSED tests/contract/.*\[.*{name}", done.stdout, re.M), f"no contract test of {name}"
        assert re.search(rf"^PASSED {check[1]}::", done.stdout, re.M), f"no test of {name}'s own"


def test_a_new_network_passes_its_test_command_with_folds_side_by_side(followed):
    done = run(followed, (followed / "next").read_text().replace("-q", "-q -rp"))
    assert done.returncode == 0, done.stdout[-4000:]
    for test in (
        "contract/test_plugins.py::test_two_folds_can_be_trained_side_by_side",
        "train/test_loop.py::test_together_is_alone", "train/test_stack.py::test_gradients_of_a_stack_are_those_of_its_models",
    ):  # fmt: skip
        assert re.search(rf"^PASSED tests/{test}\[.*one_layer", done.stdout, re.M), test
    assert "PASSED tests/models/test_one_layer.py::" in done.stdout


@pytest.fixture(scope="module")
def reported(followed):
    """The one run in which all of them take part."""
    done = run(followed, COMMANDS[-1])
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return followed / "results"


def test_all_of_them_appear_in_the_report(reported):
    page, items = (reported / "report.html").read_text(), json.loads((reported / "results.json").read_text())["items"]
    made = {i["name"]: i for i in items if "missing" not in i}
    assert {"mean_error", "ranking", "ablations"} <= set(made)
    for word in (
        "Wristband twin",
        "one feature",
        "sensor noise",
        "noise labels",
        "Ranking",
        "The smallest error is",
    ):
        assert word in page, word
    for figure in ("mean_error", "condition_curve/sensor_noise"):  # a condition gets its curve by itself
        assert (reported / f"figures/{figure}.svg").stat().st_size > 1000
    (row,) = made["ablations"]["rows"]
    assert "narrow" in " ".join(row)


def test_condition_and_control_were_evaluated(reported):
    scores = pd.read_csv(reported / "scores.csv")
    assert set(scores["model"]) == {"one_feature", "himoe", "himoe-narrow", "one_feature-noise_labels", *CEILINGS}
    assert set(scores.loc[scores["condition"] == "sensor_noise", "severity"]) == {0, 0.5, 1}
    by_subject = scores[
        (scores["metric"] == "ccc") & (scores["model"] == "one_feature") & ~scores["subject"].str.startswith("(")
    ]
    mean = by_subject.groupby(["condition", "severity"])["value"].mean()
    assert mean["clean", 0] == mean["sensor_noise", 0] > mean["sensor_noise", 1]  # it has skill, and noise takes of it
    sheet = json.loads((reported / "wristband_twin/subject_kfold/audit.json").read_text())["findings"]
    (finding,) = [f for f in sheet if f["check"] == "controls"]
    assert finding["verdict"] == "passed"
    assert "one_feature-noise_labels" in finding["evidence"]
