"""Where a checkout stands, from where it is called and whose home it is must not matter, or be said in one line."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile

import pytest
import yaml

from himoe.__main__ import main
from himoe.config.files import check_place
from himoe.job import ShortLines
from himoe.types import HimoeError
from tests.conftest import ROOT
from tests.workflow.runs import checkout, snakemake

RUN = {
    "datasets": ["planted-x"], "planted": {"x": {"subjects": 3, "trials": 3, "seconds": 16}}, "models": ["train_mean"],
    "protocols": ["loso"], "conditions": {},
}  # fmt: skip
CARD = "results/planted-x/card.json"  # two jobs, so that one is made by a Snakemake of its own


def with_python(folder):
    """A Python of the folder's own, as `make setup` makes it, with the packages of this one."""
    python = folder / ".venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", python.parent.parent], check=True)
    (site,) = python.parent.parent.glob("lib/python3*/site-packages")
    (site / "these.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    return python


@pytest.mark.parametrize("name", ["o'neil's documents (copy) & $x;y", "größe\nb"])
def test_a_run_may_stand_in_any_folder_that_snakemake_can_name(tmp_path, name):
    (tmp_path / name).mkdir()
    folder = checkout(tmp_path / name)
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN))
    command = [with_python(folder), "-m", "snakemake", "--cores", "1", CARD, "--configfile", "run.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if "\n" in name:
        assert done.returncode == 1
        assert "control characters; move it" in done.stderr
        assert "Traceback" not in done.stderr
    else:
        assert done.returncode == 0, done.stderr[-3000:]
        assert (folder / CARD).is_file()


@pytest.mark.parametrize("name", ["a{b}", "a:b", "a\x1b[31m", os.fsdecode(b"a\xff")])
def test_a_folder_that_cannot_be_is_one_line(name):
    with pytest.raises(HimoeError, match="move it") as said:
        check_place("/fine", f"/path/to/{name}/himoe")
    assert str(said.value).isprintable()


def test_letters_that_a_locale_does_not_know_are_told_with_the_locale(tmp_path):
    """Python takes C for C.UTF-8; who forbids it has ASCII alone, and so has the file that Snakemake logs into."""
    (tmp_path / "größe").mkdir()
    folder = checkout(tmp_path / "größe")
    ascii_alone = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = snakemake(folder, "-n", CARD, "--configfile", "config/config.yaml", env=ascii_alone)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "letters in its path that are not ascii, which the locale knows alone; set LC_ALL=C.UTF-8" in said
    assert "Traceback" not in said


def test_braces_are_told_before_any_job(tmp_path):
    (tmp_path / "a{b}").mkdir()
    folder = checkout(tmp_path / "a{b}")
    done = snakemake(folder, CARD, "--configfile", str(folder / "config/config.yaml"))
    assert done.returncode == 1
    assert "himoe: " in done.stderr
    assert "Snakemake takes braces in a path for wildcards" in done.stderr
    assert "Traceback" not in done.stderr


def test_hypotheses_that_are_no_yaml_are_told_before_any_job(tmp_path):
    folder = checkout(tmp_path)
    (folder / "config/claims.yaml").write_text("- id: [C1\n")
    done = snakemake(folder, "-n", "--configfile", "config/config.yaml")
    assert done.returncode == 1
    assert "himoe: config/claims.yaml: not readable as YAML (while parsing a flow sequence" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_home_that_cannot_be_written_stops_nothing(tmp_path):
    folder = checkout(tmp_path)
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN))
    done = snakemake(folder, CARD, "--configfile", "run.yaml", env={"HOME": "/proc"})
    assert done.returncode == 0, done.stderr[-3000:]


def test_an_editable_install_wins_over_the_folder_that_holds_the_checkout(tmp_path):
    """The checkout's default name is the package's: called from above it, himoe/himoe must be found and not himoe/."""
    folder = tmp_path / "himoe"
    shutil.copytree(ROOT / "himoe", folder / "himoe", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    build = "import setuptools.build_meta as b; b.build_editable('..')"
    subprocess.run([sys.executable, "-c", build], cwd=folder, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        (line,) = [packed.read(name).decode() for name in packed.namelist() if name.endswith(".pth")]
    assert line.strip() == str(folder)  # a line of the search path, and no finder that comes after it


@pytest.mark.parametrize("arguments", [["plan"], ["crate"], ["publish", "x"], ["verify-data"]])
def test_called_from_another_folder_a_command_is_one_line(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert len((said.out + said.err).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_without_the_environment_a_command_is_one_line():
    bare = [sys._base_executable, "-S", "-m", "himoe", "doctor"]
    done = subprocess.run(bare, cwd=ROOT, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "activate the environment" in done.stderr


def test_the_log_names_a_few_paths_and_counts_the_rest():
    files, reason = [f"results/{i}.json" for i in range(367)], "Input files updated by another job: a, b"
    record = logging.makeLogRecord({"input": list(files), "reason": f"Updated: {', '.join(files)}"})
    assert ShortLines().filter(record)
    assert record.input == [*files[:6], "and 361 more"]
    assert record.reason == f"Updated: {', '.join(files[:6])}, and 361 more"
    short = logging.makeLogRecord({"input": files[:7], "reason": reason})  # seven are named: "and 1 more" is no shorter
    ShortLines().filter(short)
    assert (short.input, short.reason) == (files[:7], reason)
