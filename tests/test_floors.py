"""The floor plan: imports point down one total order of rooms, plug-ins do not know one another, files keep their size."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.conftest import ROOT

# From the ground up: a room (a file or a folder of himoe/) imports from rooms before it, and from itself without circles.
ORDER = (
    "lazy", "types", "names", "io", "registry", "provenance", "cards", "job", "stats", "signal", "nn", "config", "data",
    "datasets", "conditions", "controls", "splits", "models", "train", "evaluate", "library", "report", "figures", "tables",
    "commands", "__main__",
)  # fmt: skip
PLUGINS = ("datasets", "models", "conditions", "controls", "figures", "tables")
PACKAGE = ROOT / "himoe"
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in FILES}
GROUND = ("types", "names", "io", "registry", "provenance", "cards", "job", "config")


def imports(path, runtime_only=True):
    """(line, module of the package) of every import; those under TYPE_CHECKING left out."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if runtime_only and isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "himoe":
            for alias in node.names:
                child = f"{node.module}.{alias.name}"
                yield node.lineno, child if child in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] == "himoe")


def room(module):
    """``himoe.nn.losses`` -> nn."""
    return module.split(".")[1] if "." in module else ""


def test_every_room_has_its_place():
    assert sorted({room(name) for name in MODULES} - {""}) == sorted(ORDER)


@pytest.mark.parametrize("name", [n for n in MODULES if room(n)])
def test_imports_point_down(name):
    for line, other in imports(MODULES[name]):
        if room(other) not in ("", room(name)):
            assert ORDER.index(room(other)) < ORDER.index(room(name)), f"{MODULES[name]}:{line} imports {other}"


def test_no_circles_between_files():
    arrows = {name: {other for _, other in imports(path) if other != name} for name, path in MODULES.items()}
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("kind", PLUGINS)
def test_plugins_do_not_import_one_another(kind):
    for path in (PACKAGE / kind).glob("[a-z]*.py"):
        for line, name in imports(path):
            parts = name.split(".")
            assert parts[:2] != ["himoe", kind] or parts[-1].startswith("_"), f"{path}:{line} imports {name}"


def test_the_snakefile_asks_the_ground_and_the_config_alone():
    text = "".join(p.read_text() for p in (ROOT / "workflow/rules").glob("*.smk"))
    asked = re.findall(r"^from (himoe[\w.]*) import (.+)$", text, re.M)
    modules = {f"{m}.{n.strip()}" if f"{m}.{n.strip()}" in MODULES else m for m, names in asked for n in names.split(",")}
    assert asked
    # data.sources looks at the names of files and at nothing else
    assert {m for m in modules if room(m) not in GROUND} <= {"himoe.data.sources"}


@pytest.mark.parametrize("kind", ["figures", "tables"])
def test_reports_never_need_torch(kind):
    code = "import sys\nfrom himoe.report import items, page\nfrom himoe import registry\n"
    code += f"for n in registry.available('{kind}'):\n    registry.load('{kind}', n)\n"
    code += "assert 'torch' not in sys.modules, 'torch was imported'"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_parsing_loads_no_heavy_module():
    code = (
        "import sys, yaml\nfrom himoe import registry\nfrom himoe.config.load import load_config\n"
        "from himoe.data import sources\n"
        "from himoe.provenance import fingerprint\nload_config(yaml.safe_load(open('config/config.yaml')))\n"
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
        assert len(path.read_text().splitlines()) <= 20, path
    for path in (ROOT / "report/templates").glob("*.jinja"):
        assert len(path.read_text().splitlines()) <= 60, path
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 50


def test_no_test_file_twice_by_name():
    found = defaultdict(list)
    for path in (ROOT / "tests").rglob("*.py"):
        if path.name not in ("__init__.py", "conftest.py"):
            found[path.name].append(str(path))
    assert not [paths for paths in found.values() if len(paths) > 1]


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
        tree = ast.parse(path.read_text())
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        for node in [*tree.body, *(member for c in classes for member in c.body)]:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                overrides = node.name == "find_class"  # of the unpickler
                assert ast.get_docstring(node) or overrides, f"{path}:{node.lineno} {node.name}"
