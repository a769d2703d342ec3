"""Lock, package and conda environment name the same versions; the citation file is well-formed."""

from __future__ import annotations

import re
import subprocess
import tomllib

import yaml
from setuptools import find_packages

from himoe.train.versions import NEWEST, OLDEST, dotted, minor_of


def lock(root):
    lines = (root / "envs/requirements.lock").read_text().splitlines()
    return dict(line.lower().split("==") for line in lines if line and not line.startswith("#"))


def names(requirements):
    return {re.split(r"[<>=\[]", r)[0].lower() for r in requirements}


def test_lock_holds_everything_the_package_asks_for(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = [line for extra in ("workflow", "dev", "docs", "slurm") for line in project["optional-dependencies"][extra]]
    wanted = names(project["dependencies"]) | names(extras)
    assert wanted <= {n.replace("_", "-") for n in lock(root)}
    for requirement in project["dependencies"] + extras:
        if "==" in requirement:
            name, version = requirement.split("==")
            assert lock(root)[name] == version


def test_conda_environment_is_in_step(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((root / "envs/himoe.yaml").read_text())
    assert environment["channels"] == ["conda-forge"]
    pinned = dict(line.split("==") for line in environment["dependencies"][-1]["pip"])
    assert set(pinned) == names(project["dependencies"] + project["optional-dependencies"]["workflow"])
    assert all(lock(root)[name] == version for name, version in pinned.items())


def test_every_package_is_installed(root):
    finder = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    found = find_packages(root, include=finder["include"])
    assert set(found) == {".".join(p.parent.relative_to(root).parts) for p in (root / "himoe").rglob("*.py")}


def test_torch_is_let_in_from_the_oldest_tried_to_the_pinned_one(root):
    assert lock(root)["torch"] == "2.13.0"
    assert minor_of(lock(root)["torch"]) == NEWEST
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert f"torch>={dotted(OLDEST)}" in project["dependencies"]
    for page in ("README.md", "docs/start.md", "docs/howto/gpu.md"):
        assert f"torch from {dotted(OLDEST)} to {dotted(NEWEST)}" in (root / page).read_text(), page


def test_extras_are_those_of_the_lock(root):
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras["crate"]) <= set(extras["dev"])


def test_citation_names_both(root):
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert "2508.02133" in citation["preferred-citation"]["url"]


def test_no_path_of_a_machine_and_no_licensed_data(root):
    files = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True).stdout.split()
    assert not [f for f in files if f.endswith((".dat", ".mat", ".bdf", ".npz"))]
    homes = re.compile(r"(?<![\w.])/(work|root|home/\w+)/|\bshared/(data|tools)\b|['\"]shared['\"] */")  # somebody's folders
    found = {f: homes.search((root / f).read_text(errors="ignore")) for f in files if (root / f).is_file()}
    assert not {f: match[0] for f, match in found.items() if match and f not in ("tests/test_environment.py", ".ci/run")}


def test_every_rule_names_an_environment(root):
    """All but the targets, which run nothing."""
    for path in sorted((root / "workflow/rules").glob("*.smk")):
        blocks = re.split(r"^\s*rule\b", path.read_text(), flags=re.M)[1:]
        assert all(re.search(r'^\s*conda:\n\s*"../../envs/himoe.yaml"', block, re.M) for block in blocks), path.name
