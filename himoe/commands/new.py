"""A plug-in to begin with: its file and its test from a template, into the checkout."""

from __future__ import annotations

import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template
from typing import NamedTuple

from himoe import names, registry
from himoe.types import HimoeError

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST = 40


class Kind(NamedTuple):
    """``folder``: of plug-ins, below himoe/ · ``tests``: where its test stands, below tests/ · ``line``: of a config, in which
    NAME stands for the name · ``also``: tests beside those of tests/contract that run over every plug-in of the kind ·
    ``capital``: whether its title begins with one."""

    folder: str
    tests: str
    line: str
    also: str = ""
    capital: bool = False


KINDS = {
    "dataset": Kind("datasets", "data", "datasets: [NAME_twin]", capital=True),
    "model": Kind("models", "models", "models: [NAME, himoe]", " tests/train/test_loop.py tests/train/test_stack.py"),
    "estimator": Kind("models", "models", "models: [NAME, himoe]"),
    "condition": Kind("conditions", "conditions", "conditions: {NAME: [0, 0.5, 1]}"),
    "control": Kind("controls", "leakage", "controls: {NAME: [ridge]}"),
    "figure": Kind("figures", "report", "figures: [NAME]", capital=True),
    "table": Kind("tables", "report", "tables: [NAME]", capital=True),
}


def check_name(kind: str, name: str) -> None:
    """HimoeError where a plug-in cannot bear the name: it is no lower-case word, Python's, or the grammar of names'."""
    if not NAME.fullmatch(name) or len(name) > LONGEST or keyword.iskeyword(name):
        raise HimoeError(f"new {kind}: '{name}': a name is lower-case words joined by _, at most {LONGEST} letters")
    taken = (names.CLEAN, *names.CEILINGS, *registry.available("controls"))
    folder = KINDS[kind].folder
    if names.plugin_of(folder, name) != name or name in taken:
        raise HimoeError(f"new {kind}: '{name}' means something else in a config; choose another name")
    if name in registry.available(folder):
        raise HimoeError(f"new {kind}: himoe/{folder}/{name}.py is there already; choose another name")


def text_of(template: str, kind: str, name: str) -> str:
    """A template of himoe/commands/templates with the name and the title filled in."""
    title = name.replace("_", " ")
    title = title.capitalize() if KINDS[kind].capital else title
    text = resources.files("himoe.commands").joinpath("templates", f"{template}.py.txt").read_text(encoding="utf-8")
    return Template(text).substitute(name=name, title=title)


def write(kind: str, name: str, root: Path) -> list[Path]:
    """Write the plug-in and its test below the checkout ``root``; their paths in it.

    Raises
    ------
    HimoeError
        If there is no checkout, if the name cannot be, or if any of the files is there: nothing is written then.
    """
    if not all((root / folder).is_dir() for folder in ("himoe/models", "tests/contract")):
        raise HimoeError(f"{root}: no checkout of Hi-MoE here (himoe/, tests/); run it in the folder of the workflow")
    check_name(kind, name)
    of = KINDS[kind]
    files = {
        Path("himoe", of.folder, f"{name}.py"): kind,
        Path("tests", of.tests, f"test_{name}.py"): f"test_{kind}",
    }
    for path in files:
        if found := next((p for p in (root / path.parts[0]).rglob(path.name) if _clash(p, root / path)), None):
            raise HimoeError(f"new {kind}: {found.relative_to(root)} is there already; choose another name")
    for path, template in files.items():
        (root / path).write_text(text_of(template, kind, name), encoding="utf-8")
    return list(files)


def _clash(found: Path, wanted: Path) -> bool:
    """Whether a file stands in another's way: the same one, or a test of the same name, which must be one of a kind."""
    return found == wanted or wanted.name.startswith("test_")


def report(kind: str, name: str, root: Path) -> int:
    """Write the files, and print them and the next steps; 0."""
    plugin, test = write(kind, name, root)
    of = KINDS[kind]
    print(f"{plugin}\n{test}")
    print(f"next: python -m pytest -q tests/contract{of.also} {test} -k {name}")
    print(f"then: write your own into both, and in a config: {of.line.replace('NAME', name)}")
    return 0
