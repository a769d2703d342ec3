"""What others ask for: the workflow catalogue, a citation, a container's recipe, a module, an archive, a Workflow Run RO-Crate.

Where a validator or conda is needed and absent, the test skips and says how to get it (`make standards`).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml

import himoe
from tests.commands.finished import finished_run
from tests.conftest import ROOT
from tests.workflow.runs import checkout, snakemake


def tool(name: str, way: str = "`make standards` installs the validators") -> str:
    """Path of a command; skips with the reason where it is absent."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"no {name} here; {way}")
    return found


def test_the_catalogue_finds_what_it_looks_for():
    """Its guide, "Adding workflows": Standardized Usage; its crawler reads `report` one level up."""
    catalogue = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    assert set(catalogue) == {"usage"}
    usage = catalogue["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    deployment = usage["software-stack-deployment"]
    assert set(deployment) == {"conda", "apptainer", "apptainer+conda", "report"}
    assert all(isinstance(value, bool) for value in deployment.values())
    assert deployment["report"] is usage["report"] is True
    rules = [rule for file in (ROOT / "workflow/rules").glob("*.smk") for rule in re.split(r"\nrule ", file.read_text())[1:]]
    assert deployment["conda"] is all("conda:" in rule for rule in rules if "script:" in rule)
    assert (ROOT / "workflow/Snakefile").is_file()
    assert (ROOT / "config/README.md").is_file()
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme
    assert "workflow" in readme


def test_a_module_of_another_workflow(tmp_path):
    """As snakedeploy writes it: the whole run, planned in a folder that holds no code."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/Snakefile").write_text(
        'configfile: "config/config.yaml"\n\n'
        f'module himoe_run:\n    snakefile: "{ROOT / "workflow/Snakefile"}"\n    config: config\n\n'
        "use rule * from himoe_run\n"
    )
    plan = snakemake(tmp_path, "-n")
    assert plan.returncode == 0, plan.stderr[-2000:]
    assert re.search(r"^render_report +1$", plan.stdout + plan.stderr, re.M)


def test_what_an_archive_holds_is_enough(tmp_path):
    """`--archive` packs the files under version control (and conda's packages): they must plan the whole run by themselves."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    for name in (n for n in tracked if (ROOT / n).is_file()):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    code = "import sys, himoe, snakemake.cli; assert himoe.__file__.startswith(sys.argv.pop()); snakemake.cli.main()"
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, "-c", code, "-n", str(tmp_path)]
    plan = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert plan.returncode == 0, plan.stderr[-2000:]
    assert re.search(r"^render_report +1$", plan.stdout + plan.stderr, re.M)


def test_the_containers_recipe_names_the_environment(tmp_path):
    tool("conda", "Snakemake asks it for its platform")
    for kind, copies in (("dockerfile", "COPY envs/himoe.yaml /conda-envs/"), ("apptainer", "envs/himoe.yaml /conda-envs/")):
        recipe = snakemake(checkout(tmp_path / kind), "--containerize", kind)
        assert recipe.returncode == 0, recipe.stderr[-2000:]
        assert copies in recipe.stdout
        assert "conda env create --prefix /conda-envs/" in recipe.stdout


def test_the_citation_can_be_cited():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == himoe.__version__
    assert citation["license"] == "MIT"
    assert citation["type"] == "software"
    date.fromisoformat(citation["date-released"])
    works = [citation["preferred-citation"], *citation["references"]]
    for work in works:
        assert {"type", "title", "authors"} <= set(work), work
        assert work["authors"]
        assert all(set(a) <= {"family-names", "given-names", "name", "orcid"} for a in work["authors"])
        assert work["url"].startswith("https://")
        assert 1950 < work["year"] <= date.today().year


def test_the_citation_is_valid():
    done = subprocess.run([tool("cffconvert"), "--validate", "-i", "CITATION.cff"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_crate_of_a_run_is_valid(tmp_path):
    """Every REQUIRED check of Workflow Run Crate 0.5 and of the profiles under it, with the network off."""
    validator = tool("rocrate-validator")
    pytest.importorskip("rocrate", reason="the extra 'crate' is not installed")
    from himoe.commands import crate

    crate.write(finished_run(tmp_path / "results"), tmp_path / "ro-crate")
    cache = tmp_path / "cache"
    python = Path(validator).resolve().parent / "python"
    seeded = subprocess.run([python, ROOT / "tests/commands/seed_context.py", cache], capture_output=True, text=True)
    assert seeded.returncode == 0, seeded.stderr
    report = tmp_path / "report.json"
    command = [
        validator, "-y", "validate", "--offline", "--cache-path", cache, "-p", "workflow-run-crate", "-l", "required",
        "--no-paging", "--verbose", "-f", "json", "-o", report,
    ]  # fmt: skip
    done = subprocess.run([*command, tmp_path / "ro-crate"], capture_output=True, text=True)
    assert done.returncode == 0, report.read_text() if report.is_file() else done.stdout
    metadata = tmp_path / "ro-crate/ro-crate-metadata.json"
    metadata.write_text(metadata.read_text().replace("CreateAction", "PlayAction"))
    assert subprocess.run([*command, tmp_path / "ro-crate"], capture_output=True).returncode == 1  # the check can fail
