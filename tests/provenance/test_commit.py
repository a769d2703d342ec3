"""The commit and the changes to it that a run is labelled with."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from himoe.provenance import changes, commit


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A git repository with one commit."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for name in ("himoe/fit.py", "workflow/Snakefile", "config/config.yaml", "README.md", "tests/test_a.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a = 1\n")
    (tmp_path / ".gitignore").write_text("/results/\n__pycache__/\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=n", "-c", "user.email=e@x.org", "commit", "-q", "-m", "first")
    return tmp_path


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def put(root: Path, name: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("b = 2\n")


def test_a_clean_checkout_is_its_commit(checkout):
    assert changes(checkout) == []
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD")[:12]
    (checkout / "himoe" / "fit.py").touch()
    assert changes(checkout) == []


def test_a_plug_in_dropped_in_is_a_change(checkout):
    names = [
        "himoe/models/mine.py",
        "himoe/models/größe \n.py",
        "workflow/rules/x.smk",
        "report/a.rst",
        "envs/e.yaml",
        "Snakefile",
    ]
    for name in names:
        put(checkout, name)
    assert changes(checkout) == sorted(names)
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD")[:12] + "-dirty"


def test_what_does_not_run_or_is_ignored_is_no_change(checkout):
    for name in (
        "results/a.json",
        "himoe/__pycache__/fit.pyc",
        "notes.txt",
        "tests/test_b.py",
        "data/a.dat",
        "docs/himoe/a.py",
    ):
        put(checkout, name)
    assert changes(checkout) == []
    assert not commit(checkout).endswith("-dirty")


def test_tracked_files_that_differ_are_changes_wherever_they_are(checkout):
    put(checkout, "README.md")
    (checkout / "config" / "config.yaml").unlink()
    git(checkout, "mv", "himoe/fit.py", "himoe/fitted.py")
    put(checkout, "himoe/staged.py")
    git(checkout, "add", "himoe/staged.py")
    assert changes(checkout) == ["README.md", "config/config.yaml", "himoe/fit.py", "himoe/fitted.py", "himoe/staged.py"]
    assert commit(checkout).endswith("-dirty")
    git(checkout, "reset", "-q", "--hard")
    assert changes(checkout) == []
    git(checkout, "rm", "-q", "--cached", "workflow/Snakefile")
    assert changes(checkout) == ["workflow/Snakefile"]


def test_the_config_of_a_run_is_a_change_where_git_does_not_know_it(checkout, tmp_path_factory):
    """Beside the folders that run, in one that is ignored, and outside of the checkout (by its name alone)."""
    put(checkout, "results/mine.yaml")
    put(checkout, "run.yaml")
    elsewhere = tmp_path_factory.mktemp("somebody")
    put(elsewhere, "other.yaml")
    files = [str(checkout / name) for name in ("config/config.yaml", "results/mine.yaml", "run.yaml")]
    assert changes(checkout) == []
    assert changes(checkout, files[0]) == []
    assert changes(checkout, *files, str(elsewhere / "other.yaml")) == ["other.yaml", "results/mine.yaml", "run.yaml"]
    assert not commit(checkout, files[0]).endswith("-dirty")
    assert commit(checkout, *files).endswith("-dirty")


def test_a_checkout_may_be_a_folder_of_another(checkout):
    for name in ("part/himoe/a.py", "part/README.md"):
        put(checkout, name)
    git(checkout, "add", "part/README.md")
    git(checkout, "-c", "user.name=n", "-c", "user.email=e@x.org", "commit", "-q", "-m", "second")
    put(checkout, "himoe/fit.py")
    assert changes(checkout / "part") == ["himoe/a.py"]
    assert changes(checkout) == ["himoe/fit.py"]


def test_elsewhere_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert (commit(tmp_path), changes(tmp_path)) == ("not a git checkout", [])
    git(tmp_path, "init", "-q")
    assert (commit(tmp_path), changes(tmp_path)) == ("not a git checkout", [])
    monkeypatch.setenv("PATH", "")
    assert (commit(tmp_path), changes(tmp_path)) == ("not a git checkout", [])
