"""Which modules a fingerprint covers, and what of the package lets it pass over words."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import pytest

from himoe import provenance
from himoe.provenance import fingerprint, modules_behind
from tests.provenance.package import (
    ALL_MODELS,
    ALL_READERS,
    ALONE,
    ESTIMATOR,
    FIT,
    JUDGE,
    NETWORKS,
    PACKAGE,
    PREPARE,
    current_fingerprint,
    is_text,
    path_of,
)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from himoe import b", ["b"]),
        ("from himoe import b as c", ["b"]),
        ("from himoe.b import f", ["b"]),
        ("from himoe.p import c, f", ["p", "p.c"]),
        ("from himoe.p.c import f", ["p.c"]),
        ("from himoe.p import *", ["p"]),
        ("import himoe.b", ["b"]),
        ("import himoe.p.c as c, os", ["p.c"]),
        ("from . import b", ["b"]),
        ("from .p import c", ["p.c"]),
        ("from .p.d import f", ["p.d", "p.c", "b"]),
        ("def f():\n    from himoe.b import g", ["b"]),
        ("try:\n    import himoe.b\nexcept ImportError:\n    raise E('x') from None", ["b"]),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from himoe.b import f", []),
        ("from himoe import __version__\nimport himoe\nimport himoexx.b", []),
        ("from himoe import e", ["e"]),
    ],
)
def test_imports_are_followed(package, source, found):
    (package / "p").mkdir()
    (package / "b.py").write_text("f = 1\n")
    (package / "p" / "__init__.py").write_text("f = 1\n")
    (package / "p" / "c.py").write_text("f = 1\n")
    (package / "p" / "d.py").write_text("from . import c\nfrom .. import b\nf = 1\n")
    (package / "e" / "__pycache__").mkdir(parents=True)  # left behind where a package became a module
    (package / "e.py").write_text("f = 1\n")
    (package / "a.py").write_text(source)
    assert modules_behind("himoe.a") == sorted(["himoe.a", *(f"himoe.{name}" for name in found)])
    before = current_fingerprint("himoe.a")
    for name in ("b", "p.__init__", "p.c", "p.d", "e"):
        path = path_of(f"himoe.{name}")
        kept = path.read_text()
        path.write_text(kept + "g = 2\n")
        assert (current_fingerprint("himoe.a") != before) == (name.removesuffix(".__init__") in found), name
        path.write_text(kept)
    assert current_fingerprint("himoe.a") == before


def test_what_is_left_out_is_not_entered(package):
    (package / "p").mkdir()
    (package / "p" / "__init__.py").write_text("")
    (package / "a.py").write_text("from himoe import b, pp\nfrom himoe.p import c\n")
    for name in ("b.py", "pp.py", "d.py"):
        (package / name).write_text("f = 1\n")
    (package / "p" / "c.py").write_text("from himoe import d\n")
    assert modules_behind("himoe.a") == ["himoe.a", "himoe.b", "himoe.d", "himoe.p.c", "himoe.pp"]
    assert modules_behind("himoe.a", without=("himoe.p",)) == ["himoe.a", "himoe.b", "himoe.pp"]
    assert modules_behind("himoe.a", without=("himoe.p.c", "himoe.b")) == ["himoe.a", "himoe.pp"]
    assert modules_behind("himoe.d", "himoe.a", without=("himoe.p",)) == ["himoe.a", "himoe.b", "himoe.d", "himoe.pp"]
    assert modules_behind("himoe.a", without=ALONE) == ["himoe.a"]
    before, whole = fingerprint("himoe.a", without=("himoe.p",)), fingerprint("himoe.a")
    (package / "d.py").write_text("f = 2\n")
    assert current_fingerprint("himoe.a", without=("himoe.p",)) == before
    assert current_fingerprint("himoe.a") != whole


def test_no_network_is_behind_an_estimator():
    def networks(found):
        return [name for name in found if name.startswith(NETWORKS)]

    assert set(ESTIMATOR) < set(modules_behind(*ESTIMATOR))
    assert not networks(modules_behind(*ESTIMATOR))
    assert networks(modules_behind(FIT))
    assert not networks(modules_behind(FIT, ESTIMATOR[0], without=NETWORKS))


def test_the_walk_covers_what_python_imports():
    """In a process of its own, every module of the package that comes with a fit's is behind it."""
    asked = (FIT, ALL_MODELS[0], ALL_READERS[0], *PREPARE, *JUDGE)
    code = f"import sys, {', '.join(asked)}\nprint(*[n for n in sys.modules if n.startswith('himoe.')])"
    where = {"cwd": PACKAGE.parent, "env": os.environ | {"PYTHONPATH": str(PACKAGE.parent)}}
    done = subprocess.run([sys.executable, "-c", code], **where, check=True, capture_output=True, text=True)
    there = {name for name in done.stdout.split() if path_of(name).is_file()} - {"himoe.lazy"}  # where names of packages are
    assert set(asked) < there <= set(modules_behind(*asked))


def test_packages_hold_no_code():
    """The walk goes from module to module past the packages they lie in, so code in ``__init__.py`` would not count. Public
    names of other modules, imported when they are asked for, are no code."""
    for path in PACKAGE.glob("*/__init__.py"):
        left = [node for node in ast.parse(path.read_text()).body if not is_text(node) and not is_of_names(node)]
        assert not left, f"{path}: code that no fingerprint would see"


def is_of_names(node: ast.stmt) -> bool:
    """Whether a statement says which names a package gives: imports of helpers, HOMES, __all__, what type checkers see."""
    if isinstance(node, ast.ImportFrom):
        return node.module in ("typing", "himoe.lazy", "__future__")
    if isinstance(node, ast.Assign):
        names = [ast.unparse(target) for target in node.targets]
        return names in (["HOMES"], ["__all__"]) and not any(isinstance(inner, ast.Call) for inner in ast.walk(node))
    if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
        return False
    lazily = "__getattr__, __dir__ = exports(__name__, HOMES)"
    return all(isinstance(n, ast.ImportFrom) for n in node.body) and [ast.unparse(n) for n in node.orelse] in (
        [lazily],
        [f"({lazily.partition(' = ')[0]}) = exports(__name__, HOMES)"],
    )


@pytest.mark.parametrize("rule", [(FIT, *ALL_MODELS), tuple(ALL_READERS)], ids=["fits", "readers"])
def test_no_words_are_read_behind(rule):
    """Titles, units and a data set's words decide nothing in a fit or a reader: outside of errors nobody reads them."""
    unread = {"TITLE", "UNIT", "SECTION", "citation", "licence", "access", "caveats"}
    for name in set(modules_behind(*rule)) - {provenance.__name__}:
        tree = ast.parse(path_of(name).read_text())
        errors = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Raise) for inner in ast.walk(node)}
        for node in (node for node in ast.walk(tree) if id(node) not in errors):
            assert not (isinstance(node, ast.Attribute) and node.attr in unread), f"{name}:{node.lineno}"
            assert not (isinstance(node, ast.Constant) and node.value in unread), f"{name}:{node.lineno}"
            assert not (isinstance(node, ast.Name) and node.id in unread and isinstance(node.ctx, ast.Load)), (
                f"{name}:{node.lineno}"
            )
