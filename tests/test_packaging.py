"""What others install: a wheel of the package alone, which works without the workflow's tools, and a source distribution of the
whole checkout."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import himoe
from tests.conftest import ROOT

pytestmark = pytest.mark.slow(60)
USE = """
import himoe, sys
tokens, truth = himoe.simulate(people=3, trials=2, seconds=20)
model = himoe.HiMoERegressor(options={"width": 8}, training={"epochs": 1, "crop_seconds": 20}).fit(tokens)
assert model.predict(himoe.conditions.apply(tokens, "missing_rate", 0.5)).shape == tokens.y.shape
assert himoe.stats.compare({"himoe": [0.5, 0.6], "ridge": [0.4, 0.5]}).loc[0, "other"] == "ridge"
assert himoe.features.extract([0.0] * 300, 10, "values").shape == (57, 1)  # 28 s of centres at 2 Hz
assert not {"snakemake", "jinja2", "pooch"} & sys.modules.keys()
print(himoe.__file__)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The source distribution, made of a copy of the checkout."""
    folder = tmp_path_factory.mktemp("checkout") / "himoe"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    code = "import setuptools.build_meta as b; b.build_sdist('..')"
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", code], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (packed,) = folder.parent.glob("*.tar.gz")
    return packed


@pytest.fixture(scope="module")
def wheel(source):
    """The wheel, built from the source distribution, with no network."""
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(source.parent), str(source))
    (built,) = source.parent.glob("*.whl")
    return built


def pip(*arguments, python=None):
    target = ["--python", str(python)] if python else []
    command = [sys.executable, "-m", "pip", *target, arguments[0], "--no-deps", "--no-index", "--quiet", *arguments[1:]]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def asked_for(extra=""):
    """Distributions that the project and those it asks for ask for, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    todo = [Requirement(line) for line in project["dependencies"] + project["optional-dependencies"].get(extra, [])]
    found = {}
    while todo:
        requirement = todo.pop()
        if requirement.name.lower() in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        distribution = importlib.metadata.distribution(requirement.name)
        assert requirement.specifier.contains(distribution.version.partition("+")[0]), requirement
        found[requirement.name.lower()] = distribution
        todo += [Requirement(line) for line in distribution.requires or []]
    return found


@pytest.fixture(scope="module")
def fresh(wheel, tmp_path_factory):
    """An environment with the wheel and what it asks for, nothing else: links to the distributions that are here."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    for distribution in asked_for().values():
        for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(distribution.locate_file(top))
    pip("install", str(wheel), python=folder / "bin/python")
    return folder


def run(fresh, tmp_path, *command):
    """Run in an empty folder, with nothing of this environment on the path."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    name, *arguments = command
    return subprocess.run([fresh / "bin" / name, *arguments], cwd=tmp_path, capture_output=True, text=True, env=clean)


def test_the_version_stands_in_one_place(wheel):
    assert f"-{himoe.__version__}-" in wheel.name
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == himoe.__version__
    found = subprocess.run(
        ["git", "grep", "-lF", f'"{himoe.__version__}"', "himoe", "pyproject.toml"], cwd=ROOT, capture_output=True
    )
    assert found.stdout.decode().split() == ["himoe/__init__.py"]


def test_the_wheel_is_the_package_alone(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        metadata = Parser().parsestr(packed.read(next(n for n in names if n.endswith("/METADATA"))).decode())
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / "himoe").rglob("*.py")}
    templates = {p.relative_to(ROOT).as_posix() for p in (ROOT / "himoe/commands/templates").iterdir()}
    assert {n for n in names if ".dist-info/" not in n} == modules | templates | {"himoe/py.typed"}
    assert {"workflow", "dev", "docs", "slurm", "crate", "tensorboard"} == set(metadata.get_all("Provides-Extra"))
    unconditional = {Requirement(line).name for line in metadata.get_all("Requires-Dist") if "extra ==" not in line}
    assert {"torch", "numpy", "mne"} <= unconditional
    assert not {"snakemake", "pytest", "jinja2"} & unconditional


def test_the_source_distribution_is_the_whole_checkout(source):
    with tarfile.open(source) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    for needed in (
        "Snakefile",
        "config/config.yaml",
        "envs/himoe.yaml",
        "report/templates/report.html.jinja",
        "himoe/py.typed",
    ):
        assert needed in names
    assert {p.relative_to(ROOT).as_posix() for p in (ROOT / "workflow").rglob("*.*") if p.suffix in (".smk", ".py")} <= names
    assert not [name for name in names if name.endswith(".pyc") or name.startswith(("results", ".snakemake"))]


def test_alone_it_is_imported_trained_and_predicts(fresh, tmp_path):
    done = run(fresh, tmp_path, "python", "-c", USE)
    assert done.returncode == 0, done.stderr[-2000:]
    assert Path(done.stdout.strip()).is_relative_to(fresh)


def test_the_command_answers_without_the_workflow(fresh, tmp_path):
    assert run(fresh, tmp_path, "himoe", "--version").stdout == f"himoe {himoe.__version__}\n"
    assert run(fresh, tmp_path, "himoe", "--help").stdout.startswith("usage: himoe ")
    assert run(fresh, tmp_path, "python", "-m", "himoe", "--help").stdout.startswith("usage: python -m himoe ")
    done = run(fresh, tmp_path, "himoe", "plan")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "lacks snakemake" in done.stderr
    assert "pip install 'himoe[workflow]'" in done.stderr


def test_snakemake_comes_with_the_workflow_alone():
    assert "snakemake" not in asked_for()
    assert {"snakemake", "jinja2", "pooch", "requests"} <= asked_for("workflow").keys()
