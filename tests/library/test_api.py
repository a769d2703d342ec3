"""The public names: there, typed, documented, their examples true; and importing the package loads nothing heavy."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import inspect
import subprocess
import sys

import pytest

import himoe
from tests.conftest import ROOT

PACKAGES = ("himoe", "himoe.conditions", "himoe.splits", "himoe.stats")
MODULES = {"features": ("extract", "recipes"), "metrics": ("ccc", "pcc", "per_person")}
RECORDS = ("HimoeError", "Output", "Split", "Tokens")  # made by functions, whose examples show them
HEAVY = ("torch", "mne", "sklearn", "pandas", "numpy", "scipy", "matplotlib", "pydantic", "snakemake")


def homes(package):
    return importlib.import_module(package).HOMES


def is_there(home):
    """Whether the module of a name is in this checkout."""
    return importlib.util.find_spec(home.partition(":")[0]) is not None


def public():
    """(name as written, object) of every function, class and record."""
    for package in PACKAGES:
        for name, home in homes(package).items():
            if ":" in home and is_there(home):
                yield f"{package}.{name}", getattr(importlib.import_module(package), name)
    for module, names in MODULES.items():
        yield from ((f"himoe.{module}.{name}", getattr(getattr(himoe, module), name)) for name in names)


PUBLIC = dict(public())
FUNCTIONS = {name: found for name, found in PUBLIC.items() if name.rpartition(".")[2] not in RECORDS}


def test_about_thirty_names():
    assert 25 <= len(PUBLIC) <= 36, sorted(PUBLIC)
    assert {"himoe.HiMoE", "himoe.conditions.apply", "himoe.metrics.ccc", "himoe.stats.compare"} <= PUBLIC.keys()


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_listed_is_what_there_is(package):
    module = importlib.import_module(package)
    assert set(module.__all__) - {"__version__"} == set(module.HOMES)
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'lode'"):
        module.lode  # noqa: B018


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_see_the_same_names(package):
    """The imports under TYPE_CHECKING, each as itself, are those that are made when a name is asked for."""
    tree = ast.parse(inspect.getsource(importlib.import_module(package)))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {}
    for node in block.body:
        for alias in node.names:
            assert alias.asname == alias.name
            separator = "." if _is_module(f"{node.module}.{alias.name}") else ":"
            seen[alias.name] = f"{node.module}{separator}{alias.name}"
    assert seen == {name: home for name, home in homes(package).items() if is_there(home)}


def _is_module(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_name_is_typed_and_says_what_goes_in_and_comes_out(name):
    found = FUNCTIONS[name]
    doc = inspect.getdoc(found)
    function = found.__init__ if inspect.isclass(found) else found
    parameters = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    assert all(p.annotation is not p.empty for p in parameters)
    assert not parameters or "Parameters\n----------\n" in doc
    for parameter in parameters:
        assert parameter.name in doc.partition("Parameters\n")[2], parameter.name
    if not inspect.isclass(found):
        assert inspect.signature(found).return_annotation is not inspect.Signature.empty
        returns_nothing = inspect.signature(found).return_annotation in ("None", None)
        assert returns_nothing or "Returns\n-------\n" in doc
    assert "Examples\n--------\n" in doc


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_is_true(name):
    [test] = [t for t in doctest.DocTestFinder(recurse=False).find(FUNCTIONS[name], name) if t.examples]
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    said = []
    failed, tried = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)
    assert tried > 0
    assert not failed, "".join(said)


def test_the_helper_s_example_is_true():
    from himoe import lazy

    assert doctest.testmod(lazy) == (0, 2)


def test_importing_loads_nothing_heavy():
    code = f"import sys, himoe; print(sorted({set(HEAVY)} & sys.modules.keys())); dir(himoe); himoe.available('models'); "
    code += "print(sorted({'torch', 'mne', 'sklearn'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["[]", "[]"]


@pytest.mark.parametrize(
    "name", ["conditions", "features", "metrics", "splits", "stats", "make_tokens", "simulate", "read_scores"]
)
def test_torch_is_imported_for_networks_alone(name):
    uses = {"conditions": "himoe.conditions.apply", "splits": "himoe.splits.make_folds", "stats": "himoe.stats.judge"}
    code = f"import sys, himoe; {uses.get(name, f'himoe.{name}')}; assert not {{'torch', 'mne'}} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
