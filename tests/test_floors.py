"""The floor plan: imports point down only, plug-ins do not know one another, files keep their size."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

FLOORS = {
    "config": 0, "registry": 0, "provenance": 0, "types": 0, "io": 0, "job": 0, "signal": 1, "nn": 1, "stats": 1, "rows": 1,
    "fold": 1, "settings": 0, "matfile": 0, "recordings": 0, "sources": 0, "fetch": 0, "__main__": 5,
    "doctor": 3, "plan": 3, "estimate": 3, "verify": 3, "checkpoint": 3, "devices": 0, "progress": 0, "trainer": 3,
    "datasets": 2, "models": 2, "perturb": 2, "intake": 3, "preprocess": 3, "splits": 3, "windows": 3,
    "training": 3, "predict": 3, "store": 3, "fit": 3, "planted": 3, "score": 3, "schema": 0,
    "protocols": 0, "checks": 0, "controls": 2, "views": 3, "tuning": 3, "estimators": 3, "guards": 3, "audit": 3, "probes": 3,
    "items": 4, "figures": 4, "tables": 4, "report": 4, "crate": 4,
}  # fmt: skip
FILES = sorted((ROOT / "himoe").rglob("*.py"))
NESTED = ("run", "split", "rand", "reconstruct", "encode", "loss")  # functions within functions
PLUGINS = ("datasets", "models", "perturb", "controls", "figures", "tables")


def imports(path, runtime_only=True):
    """(line, dotted name) of every import; those under TYPE_CHECKING left out."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if runtime_only and isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name


def unit(name):
    """``himoe.nn.losses`` -> nn."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


@pytest.mark.parametrize("path", [f for f in FILES if f.name != "__init__.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    here = path.relative_to(ROOT / "himoe").parts[0].removesuffix(".py")
    for line, name in imports(path):
        if name.split(".")[0] != "himoe" or unit(name) in ("", here):
            continue
        assert FLOORS[unit(name)] <= FLOORS[here], f"{path}:{line}: floor {FLOORS[here]} imports {name}"


@pytest.mark.parametrize("kind", PLUGINS)
def test_plugins_do_not_import_one_another(kind):
    for path in (ROOT / "himoe" / kind).glob("[a-z]*.py"):
        for line, name in imports(path):
            parts = name.split(".")
            assert parts[:2] != ["himoe", kind] or parts[2].startswith("_"), f"{path}:{line} imports {name}"


def test_every_module_has_a_floor():
    assert {p.relative_to(ROOT / "himoe").parts[0].removesuffix(".py") for p in FILES} - {"__init__"} == set(FLOORS)


@pytest.mark.parametrize("kind", ["figures", "tables"])
def test_reports_never_need_torch(kind):
    code = f"import sys\nfrom himoe import items, report, registry\nimport importlib\nfor n in registry.available('{kind}'):\n"
    code += f"    importlib.import_module(f'himoe.{kind}.{{n}}')\nassert 'torch' not in sys.modules, 'torch was imported'"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_parsing_loads_no_heavy_module():
    code = (
        "import sys, yaml\nfrom himoe import config, registry\nfrom himoe.provenance import fingerprint\n"
        "config.load(yaml.safe_load(open('config/config.yaml')))\n"
        "heavy = {'torch', 'mne', 'matplotlib', 'pandas', 'scipy', 'sklearn', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_sizes_read_well():
    for path in FILES:
        assert len(path.read_text().splitlines()) <= 300, path
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        assert len(path.read_text().splitlines()) <= 150, path
        assert path.read_text().startswith("# Contract:"), path
    for path in (ROOT / "workflow/scripts").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 30, path
    for path in (ROOT / "report/templates").glob("*.jinja"):
        assert len(path.read_text().splitlines()) <= 60, path
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 50


def test_one_script_per_rule_of_the_same_name():
    rules = set()
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        text = path.read_text()
        rules |= {line.split()[1].rstrip(":") for line in text.splitlines() if line.lstrip().startswith("rule ")}
        if "    rule:\n" in text:  # made in a loop: named by what it is made for
            rules |= set(re.findall(r"scripts/(\w+)\.py", text))
        assert "lambda" not in text, path
        assert "run:" not in text, path
    assert rules == {p.stem for p in (ROOT / "workflow/scripts").glob("*.py")}


def test_public_functions_have_docstrings():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, (ast.FunctionDef, ast.ClassDef))
                and not node.name.startswith("_")
                and node.col_offset in (0, 4)
            ):
                nested = isinstance(node, ast.FunctionDef) and node.name in (
                    "run",
                    "split",
                    "rand",
                    "reconstruct",
                    "encode",
                    "loss",
                )
                assert nested or ast.get_docstring(node) or node.name == "find_class", f"{path}:{node.lineno} {node.name}"
