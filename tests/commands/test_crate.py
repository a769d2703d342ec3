"""The RO-Crate of a run: what it says, and what never goes in."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from himoe import registry
from himoe.__main__ import main
from himoe.commands import crate, shareable
from himoe.config.run import Config
from himoe.types import HimoeError
from tests.commands.finished import KEPT, NEVER, finished_run
from tests.conftest import ROOT

pytest.importorskip("rocrate", reason="the extra 'crate' is not installed")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crate")
    files = crate.write(
        finished_run(folder / "results"), folder / "ro-crate", "https://orcid.org/0000-0002-1825-0097", "J. Carberry"
    )
    graph = json.loads((folder / "ro-crate/ro-crate-metadata.json").read_text())["@graph"]
    return folder / "ro-crate", files, {entity["@id"]: entity for entity in graph}


def test_only_what_may_leave_is_in_it(written):
    folder, files, graph = written
    assert [f for f in files if f.startswith("results/")] == sorted(f"results/{name}" for name in KEPT)
    for name in NEVER:
        assert not (folder / "results" / name).exists()
        assert f"results/{name}" not in graph
    on_disk = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert on_disk == {*files, "ro-crate-metadata.json"}
    assert not [f for f in files if "__pycache__" in f]


def test_a_zip_holds_the_same(written, tmp_path):
    _, files, _ = written
    crate.write(finished_run(tmp_path / "results"), tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as packed:
        assert set(packed.namelist()) == {*files, "ro-crate-metadata.json"}


def test_the_run_is_described(written):
    _, _, graph = written
    assert graph["./"]["mainEntity"] == {"@id": "Snakefile"}
    workflow, action = graph["Snakefile"], graph["#run"]
    assert set(workflow["@type"]) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    assert graph[workflow["programmingLanguage"]["@id"]]["name"] == "Snakemake"
    assert workflow["version"].endswith("+0123456789ab")
    assert "run at commit 0123456789ab; the files here are those of commit " in workflow["description"]
    assert action["instrument"] == {"@id": "Snakefile"}
    assert action["startTime"] <= action["endTime"]
    assert {e["@id"] for e in action["object"]} == {"run-config.json", "#data-deap", "#data-case", "#data-deap_twin"}
    assert {e["@id"] for e in action["result"]} == {f"results/{name}" for name in KEPT}
    assert graph[action["agent"]["@id"]]["name"] == "J. Carberry"
    assert graph["./"]["license"] == {"@id": "https://spdx.org/licenses/MIT"}


def test_each_data_set_has_its_terms(written):
    _, _, graph = written
    assert graph["#data-deap"]["license"] == "end-user licence, no redistribution"
    assert "not part of this crate" in graph["#data-deap"]["description"]
    assert graph["#data-case"]["license"] == {"@id": "https://creativecommons.org/licenses/by/4.0/"}
    assert "simulated" in graph["#data-deap_twin"]["description"]


def test_the_config_in_it_repeats_the_run(written):
    folder, _, _ = written
    assert Config(**json.loads((folder / "run-config.json").read_text())).datasets == ["deap", "case", "deap_twin"]


def test_models_that_keep_rows_say_so():
    assert [m for m in registry.available("models") if shareable.keeps_rows(m)] == ["nearest"]


def test_by_default_nobody_is_named(tmp_path, capsys):
    finished_run(tmp_path / "results")
    assert main(["crate", "--results", str(tmp_path / "results"), "--output", str(tmp_path / "c")]) == 0
    assert "Person" not in (tmp_path / "c/ro-crate-metadata.json").read_text()
    assert main(["crate", "--results", str(tmp_path / "results"), "--output", str(tmp_path / "c")]) == 1
    assert "exists already" in capsys.readouterr().err


def test_what_cannot_be_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(HimoeError, match="no finished run"):
        crate.write(tmp_path, tmp_path / "c")
    finished_run(tmp_path / "results")
    with pytest.raises(HimoeError, match="not an ORCID"):
        crate.write(tmp_path / "results", tmp_path / "c", agent="me")
    monkeypatch.setitem(sys.modules, "rocrate.rocrate", None)
    with pytest.raises(HimoeError, match=r"pip install 'himoe\[crate\]'"):
        crate.write(tmp_path / "results", tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_its_code_plans_the_run_again(tmp_path):
    """By itself: the package, the rules and the config are those of the crate."""
    crate.write(finished_run(tmp_path / "results", datasets=["deap_twin"], models=["himoe"]), tmp_path / "c")
    assert {name for name in shareable.CODE if not (tmp_path / "c" / name).exists()} == set()
    code = "import sys, himoe, snakemake.cli; assert himoe.__file__.startswith(sys.argv.pop()); snakemake.cli.main()"
    plan = subprocess.run(
        [sys.executable, "-c", code, "-n", "--configfile", crate.CONFIG, str(tmp_path)], cwd=tmp_path / "c",
        env=os.environ | {"PYTHONPATH": str(tmp_path / "c")}, capture_output=True, text=True,
    )  # fmt: skip
    assert plan.returncode == 0, plan.stderr[-2000:]
    assert re.search(r"^fit_model +1$", plan.stdout + plan.stderr, re.M)


@pytest.fixture(scope="module")
def changed_checkout(tmp_path_factory):
    """A checkout of its own: a plug-in dropped in, a module and a profile edited, a config with a folder of the user's."""
    folder = tmp_path_factory.mktemp("checkout")
    for path in shareable.code_files():
        (folder / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / path.relative_to(ROOT))
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    (folder / "himoe/datasets/s01.dat").write_bytes(b"s3cret recording")
    (folder / "workflow/slurm-1.out").write_text("s3cret-account\n")
    (folder / "config/open.yaml").write_text("data_root: /home/s3cret-name\n")
    subprocess.run(["git", "update-index", "--skip-worktree", "config/open.yaml"], cwd=folder, check=True)
    (folder / "himoe/models/mine.py").write_text('"""My model."""\n')
    (folder / "himoe/splits/make.py").write_text((folder / "himoe/splits/make.py").read_text() + "CHANGED = 1\n")
    (folder / "profiles/slurm/config.yaml").write_text("slurm_account: s3cret-account\n")
    for name in ("mine", "staged"):
        (folder / f"config/{name}.yaml").write_text("data_root: /home/s3cret-name\n")
    subprocess.run(["git", "add", "config/staged.yaml"], cwd=folder, check=True)
    finished_run(folder / "results")
    return folder


def test_what_differs_from_the_commit_travels(changed_checkout, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(changed_checkout)}
    command = [sys.executable, "-m", "himoe", "crate", "--output", str(tmp_path / "c")]
    done = subprocess.run(command, cwd=changed_checkout, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    graph = json.loads((tmp_path / "c/ro-crate-metadata.json").read_text())["@graph"]
    described = {entity["@id"]: entity for entity in graph}
    assert "2 files differ from it: himoe/models/mine.py, himoe/splits/make.py." in described["Snakefile"]["description"]
    assert described[crate.PATCH]["about"] == {"@id": "Snakefile"}
    assert (tmp_path / "c/himoe/models/mine.py").read_text() == '"""My model."""\n'
    patch = (tmp_path / "c" / crate.PATCH).read_text()
    assert [line for line in patch.splitlines() if line.startswith(("+", "-"))][2:] == ["+CHANGED = 1"]
    undo = subprocess.run(["git", "apply", "--reverse", str(tmp_path / "c" / crate.PATCH)], cwd=tmp_path / "c")
    assert undo.returncode == 0
    assert (tmp_path / "c/himoe/splits/make.py").read_text() == (ROOT / "himoe/splits/make.py").read_text()
    for name in ("profiles/slurm/config.yaml", "config/open.yaml"):
        assert (tmp_path / "c" / name).read_text() == (ROOT / name).read_text()
    assert not (tmp_path / "c/config/staged.yaml").exists()
    assert not [p for p in (tmp_path / "c").rglob("*") if p.is_file() and b"s3cret" in p.read_bytes()]
    assert not [p for p in (tmp_path / "c").rglob("*") if p.suffix in (".npz", ".dat", ".parquet")]


def test_without_a_checkout_all_code_is_taken(changed_checkout, tmp_path):
    for name in shareable.CODE:
        copy = shutil.copytree if (changed_checkout / name).is_dir() else shutil.copy
        copy(changed_checkout / name, tmp_path / name)
    assert tmp_path / "himoe/models/mine.py" in shareable.code_files(tmp_path)
    assert shareable.patch(tmp_path) == ""
    assert shareable.changed_code(tmp_path) == []
