"""``python -m himoe new``: what it writes, and what it refuses. That it works as it stands: tests/workflow/test_recipes.py."""

from __future__ import annotations

import ast
import tomllib
from fnmatch import fnmatch

import pytest

from himoe import registry
from himoe.__main__ import main
from himoe.commands import new
from himoe.types import HimoeError
from tests.conftest import ROOT


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Folders of a checkout, empty; the command is run in it."""
    for kind in new.KINDS.values():
        (tmp_path / "himoe" / kind.folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests" / kind.tests).mkdir(parents=True, exist_ok=True)
    (tmp_path / "tests/contract").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(root):
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


def test_there_is_a_template_for_every_kind_of_plug_in():
    assert {kind.folder for kind in new.KINDS.values()} == set(registry.KINDS)


def test_a_wheel_ships_the_templates():
    shipped = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["himoe.commands"]
    templates = [f"templates/{path.name}" for path in (ROOT / "himoe/commands/templates").iterdir()]
    assert len(templates) == 2 * len(new.KINDS)
    assert all(any(fnmatch(template, pattern) for pattern in shipped) for template in templates)


@pytest.mark.parametrize("kind", new.KINDS)
def test_a_plug_in_and_its_test_are_written(kind, checkout, capsys):
    assert main(["new", kind, "my_own"]) == 0
    of = new.KINDS[kind]
    plugin, test = f"himoe/{of.folder}/my_own.py", f"tests/{of.tests}/test_my_own.py"
    assert files(checkout) == [plugin, test]
    title = "My own" if kind in ("dataset", "figure", "table") else "my own"
    assert f'"{title}"' in (checkout / plugin).read_text()
    assert ast.get_docstring(ast.parse((checkout / test).read_text())).startswith(f"{title}: ")
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == [plugin, test]
    stacked = " tests/train/test_loop.py tests/train/test_stack.py" if kind == "model" else ""
    assert said[2] == f"next: python -m pytest -q tests/contract{stacked} {test} -k my_own"
    assert "my_own" in said[3].partition("in a config: ")[2]


@pytest.mark.parametrize("there", ["himoe/conditions/mine.py", "tests/conditions/test_mine.py", "tests/report/test_mine.py"])
def test_nothing_is_overwritten_and_nothing_half_written(there, checkout, capsys):
    """A test of the same name counts wherever it is: pytest knows one of a name."""
    (checkout / there).write_text("of somebody")
    assert main(["new", "condition", "mine"]) == 1
    assert capsys.readouterr().err == f"himoe: new condition: {there} is there already; choose another name\n"
    assert files(checkout) == [there]
    assert (checkout / there).read_text() == "of somebody"


@pytest.mark.parametrize("name", ["My", "a-b", "a/b", "../a", "_a", "a__b", "1a", "class", "", "a" * 41, "a.b"])
def test_a_name_that_cannot_be_is_refused(name, checkout):
    with pytest.raises(HimoeError, match="lower-case words"):
        new.write("model", name, checkout)
    assert files(checkout) == []


@pytest.mark.parametrize(
    ("kind", "name"), [("dataset", "mine_twin"), ("dataset", "mine_rated"), ("condition", "clean"), ("model", "rating_bias")]
)
def test_a_name_that_means_something_else_is_refused(kind, name, checkout):
    with pytest.raises(HimoeError, match="means something else in a config"):
        new.write(kind, name, checkout)


def test_a_name_that_there_is_already_is_refused(checkout):
    with pytest.raises(HimoeError, match=r"himoe/models/ridge\.py is there already"):
        new.write("estimator", "ridge", checkout)


def test_elsewhere_than_in_a_checkout_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "model", "mine"]) == 1
    assert "no checkout" in capsys.readouterr().err
    assert files(tmp_path) == []
