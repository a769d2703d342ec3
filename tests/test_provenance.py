"""Fingerprints see code and not words, in a copy of the package reworded and broken by rule; the commit says what ran."""

from __future__ import annotations

import ast
import io
import os
import random
import re
import shutil
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from himoe import provenance
from himoe.provenance import changes, commit, fingerprint, modules_behind

# Names that change where files move.
FIT, MODELS, READERS = "himoe.train.shard", "himoe.models", "himoe.datasets"
PREPARE = ("himoe.data.intake", "himoe.data.prepare", "himoe.splits.make", "himoe.data.simulate")
JUDGE = ("himoe.evaluate.predict", "himoe.evaluate.audit", "himoe.evaluate.score")
ESTIMATOR = ("himoe.models.ridge", "himoe.train.estimators")
NETWORKS = ("himoe.nn", "himoe.train.loop", "himoe.train.networks", "himoe.train.stack")
PRINTERS = ("himoe.tables.register", "himoe.tables.data_card", "himoe.report.page")

ALONE = ("himoe",)  # to leave out: the fingerprint is of a module and nothing it imports
LEVELS = r"(log|logger|logging)\.(debug|info|warning|error|critical|exception)|warnings\.warn|sys\.stderr\.write|print"
KEYWORDS = {
    "setting": "description source", "Field": "description", "DatasetInfo": "title citation licence access caveats",
}  # fmt: skip
N_MUTANTS = 12  # of each kind of node


def names_below(package: str, root: Path) -> list[str]:
    """Modules of a sub-package or, of ``himoe``, of all."""
    folder = root.joinpath(*package.split(".")[1:])
    files = folder.rglob("*.py") if package == "himoe" else folder.glob("*.py")
    return sorted(".".join(["himoe", *f.relative_to(root).with_suffix("").parts]) for f in files if f.stem != "__init__")


PACKAGE = Path(provenance.__file__).parent
EVERY, ALL_MODELS, ALL_READERS = (names_below(package, PACKAGE) for package in ("himoe", MODELS, READERS))
RULES = [*((FIT, model) for model in ALL_MODELS), *((reader,) for reader in ALL_READERS), PREPARE, JUDGE]
COVERED = modules_behind(*{name for rule in RULES for name in rule})


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An empty package in the place of the real one."""
    (tmp_path / "himoe").mkdir()
    (tmp_path / "himoe" / "__init__.py").write_text("")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path / "himoe")
    provenance.hash_module.cache_clear()
    yield tmp_path / "himoe"
    provenance.hash_module.cache_clear()


@pytest.fixture
def copy(package):
    """A copy of the real package in its place."""
    shutil.copytree(PACKAGE, package, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return package


def afresh(*modules: str, **options) -> str:
    """The fingerprint of the files as they are now."""
    provenance.hash_module.cache_clear()
    return fingerprint(*modules, **options)


def path_of(name: str) -> Path:
    return provenance.PACKAGE.joinpath(*name.split(".")[1:]).with_suffix(".py")


# --- What counts, case by case.


def pair(package: Path, before: str, after: str, words: bool) -> tuple[str, str]:
    out = []
    for source in (before, after):
        (package / "a.py").write_text(source)
        out.append(afresh("himoe.a", words=words))
    return out[0], out[1]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"""Words."""\na = 1', '"""Other words."""\na = 1'),
        ("a = 1", '"""Words."""\na = 1'),
        ("def f():\n    return 1", 'def f():\n    """Words."""\n    return 1'),
        ("class E(Exception):\n    pass", 'class E(Exception):\n    """Words."""'),
        ("a = 1  # words", "# other words\na = 1"),
        ("a = f(1, 2)", "a = f(\n    1,\n    2,\n)"),
        ("a = 'x'", 'a = "x"'),
        ("a = 1", "if TYPE_CHECKING:\n    from himoe.b import c\na = 1"),
    ],
)
def test_what_does_not_run_never_counts(package, before, after):
    for words in (False, True):
        one, other = pair(package, before, after, words)
        assert one == other


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('raise E("x")', 'raise E("y")'),
        ('raise E(f"{a}: x")', 'raise E(f"{b} {c:g}: y")'),
        ('raise E("x")', 'raise E(f"{a}: x")'),
        ('raise E("x: " + ", ".join(a), 2) from e', 'raise E("y: " + "; ".join(a), 2) from e'),
        ('raise E("x %s" % f(a, "x"))', 'raise E("y %s" % f(a, "y"))'),
        ('raise E(hint="x")', 'raise E(hint="y")'),
        ('if a:\n    raise E("x")', 'if a:\n    raise E("y")'),
        ('log.info("x %s", a)', 'log.info("y %s", a)'),
        ('log.info(f"{a} x")', 'log.info(f"y {a:.3f}")'),
        ('logger.error("x" + a)', 'logger.error("y" + a)'),
        ('logging.warning("x" if a else "x")', 'logging.warning("y" if a else "z")'),
        ('warnings.warn("x", UserWarning, stacklevel=2)', 'warnings.warn("y", UserWarning, stacklevel=2)'),
        ('sys.stderr.write(f"{a}: x")', 'sys.stderr.write(f"y {a}")'),
        ('print("x", a)', 'print("y", a)'),
        ('a: int = setting(1, "x", "ours", ge=0)', 'a: int = setting(1, "y", "cited:z", ge=0)'),
        ('a: int = setting(1, description="x", source="s")', 'a: int = setting(1, description="y", source="t")'),
        ('a: Annotated[int, Field(ge=1, description="x")]', 'a: Annotated[int, Field(ge=1, description="y")]'),
        ('I = DatasetInfo(title="x", licence="x", folder="f")', 'I = DatasetInfo(title="y", licence="z", folder="f")'),
        ('I = DatasetInfo(citation="x", access="x")', 'I = DatasetInfo(citation="y", access="z")'),
        ('I = DatasetInfo(caveats=("x", "y"))', 'I = DatasetInfo(caveats=("z", "y", "x"))'),
        ('TITLE = "x"\nUNIT = "s"\nSECTION = "run"', 'TITLE = "y"\nUNIT = "ms"\nSECTION = "data"'),
    ],
)
def test_words_count_where_they_are_asked_for(package, before, after):
    one, other = pair(package, before, after, words=False)
    assert one == other
    one, other = pair(package, before, after, words=True)
    assert one != other


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('if a == "x":\n    raise E("t")', 'if a == "y":\n    raise E("t")'),
        ('if a:\n    raise E("t")', 'if not a:\n    raise E("t")'),
        ('if a:\n    raise E("t")', 'raise E("t")'),
        ('raise E("t")', 'raise F("t")'),
        ('raise E("t", 2)', 'raise E("t", 3)'),
        ('raise E("t", a=1)', 'raise E("t", b=1)'),
        ('raise E(b"x")', 'raise E(b"y")'),
        ('raise E("t")', 'raise E("t") from e'),
        ('raise E("t")', 'E("t")'),
        ('E("x")', 'E("y")'),
        ('log.info("t", f("x"))', 'log.info("t", f("y"))'),
        ('log.info(f"t {f(1)}")', 'log.info(f"t {f(2)}")'),
        ("log.info(f\"t {f('x')}\")", "log.info(f\"t {f('y')}\")"),
        ('log.info("t", a["x"])', 'log.info("t", a["y"])'),
        ('log.info("t" if a == "x" else "t")', 'log.info("t" if a == "y" else "t")'),
        ('log.info("t", a)', 'log.info("t", b)'),
        ('log.info("t")', 'log.error("t")'),
        ('log.addHandler("x")', 'log.addHandler("y")'),
        ('log = logging.getLogger("x")', 'log = logging.getLogger("y")'),
        ('np.log.info("x")', 'np.log.info("y")'),
        ('warnings.filterwarnings("x")', 'warnings.filterwarnings("y")'),
        ('stream.write("x")', 'stream.write("y")'),
        ('print("x", file=a)', 'print("y", file=a)'),
        ('a = setting("x", "t", "s")', 'a = setting("y", "t", "s")'),
        ('a = setting(1, "t", "s", ge=0)', 'a = setting(1, "t", "s", ge=1)'),
        ('a = setting(1, "t", "s", pattern="x")', 'a = setting(1, "t", "s", pattern="y")'),
        ('a: Literal["x"] = setting(1, "t", "s")', 'a: Literal["y"] = setting(1, "t", "s")'),
        ('evidence.setting(1, "x")', 'evidence.setting(1, "y")'),
        ('a: Annotated[str, Field(pattern="x")]', 'a: Annotated[str, Field(pattern="y")]'),
        ('I = DatasetInfo(title="t", folder="x")', 'I = DatasetInfo(title="t", folder="y")'),
        ('I = DatasetInfo(caveats=("t",), targets=("x",))', 'I = DatasetInfo(caveats=("t",), targets=("y",))'),
        ("I = DatasetInfo(licence=A)", "I = DatasetInfo(licence=B)"),
        ('I = Edition(title="x")', 'I = Edition(title="y")'),
        ('def f():\n    UNIT = "x"', 'def f():\n    UNIT = "y"'),
        ('NAME = TITLE = "x"', 'NAME = TITLE = "y"'),
        ("UNIT = 10.0", "UNIT = 11.0"),
        ('UNIT = {"x": 1}', 'UNIT = {"x": 2}'),
        ('HABIT_UNIT = "x"', 'HABIT_UNIT = "y"'),
        ('a = {"x": 1}', 'a = {"y": 1}'),
        ('a = b["x"]', 'a = b["y"]'),
        ('a = "x" in b', 'a = "y" in b'),
        ('a = f"x{b}"', 'a = f"y{b}"'),
        ('def f(a="x"):\n    return a', 'def f(a="y"):\n    return a'),
        ('def f(a: "x"):\n    return a', 'def f(a: "y"):\n    return a'),
        ("@cache\ndef f():\n    return 1", "def f():\n    return 1"),
        ("a = 1\nb = 2", "b = 2\na = 1"),
        ("a = 1", "a = 1.0"),
        ("a = 1", "a = True"),
        ("import x", "import y"),
        ("if TYPE_CHECKING:\n    a = 1\nelse:\n    a = 2", "if TYPE_CHECKING:\n    a = 1\nelse:\n    a = 3"),
        ("if not TYPE_CHECKING:\n    a = 1", "if not TYPE_CHECKING:\n    a = 2"),
    ],
)
def test_all_else_counts(package, before, after):
    for words in (False, True):
        one, other = pair(package, before, after, words)
        assert one != other


def test_edits_do_not_cancel(package):
    (package / "a.py").write_text("from himoe import b\na = 1\n")
    (package / "b.py").write_text("a = 2\n")
    before = afresh("himoe.a")
    (package / "a.py").write_text("from himoe import b\na = 2\n")
    (package / "b.py").write_text("a = 1\n")
    assert afresh("himoe.a") != before


def test_both_kinds_are_kept_apart_from_each_other(package):
    (package / "a.py").write_text('raise E("x")')
    wordless, words = fingerprint("himoe.a"), fingerprint("himoe.a", words=True)
    assert wordless != words
    assert (fingerprint("himoe.a", words=True), fingerprint("himoe.a")) == (words, wordless)


# --- What is behind a module.


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
    before = afresh("himoe.a")
    for name in ("b", "p.__init__", "p.c", "p.d", "e"):
        path = path_of(f"himoe.{name}")
        kept = path.read_text()
        path.write_text(kept + "g = 2\n")
        assert (afresh("himoe.a") != before) == (name.removesuffix(".__init__") in found), name
        path.write_text(kept)
    assert afresh("himoe.a") == before


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
    assert afresh("himoe.a", without=("himoe.p",)) == before
    assert afresh("himoe.a") != whole


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
    there = {name for name in done.stdout.split() if path_of(name).is_file()}
    assert set(asked) < there <= set(modules_behind(*asked))


# --- What the blindness stands on.


def test_packages_hold_no_code():
    """The walk goes from module to module past the packages they lie in, so code in ``__init__.py`` would not count."""
    for path in PACKAGE.glob("*/__init__.py"):
        assert all(is_text(node) for node in ast.parse(path.read_text()).body), f"{path}: code that no fingerprint would see"


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


# --- The real package, reworded.


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def strings(node: ast.AST) -> Iterator[ast.expr]:
    """Outermost texts below a node."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node
    else:
        for child in ast.iter_child_nodes(node):
            yield from strings(child)


def bare(node: ast.AST) -> Iterator[ast.expr]:
    """Texts an argument is put together from."""
    if isinstance(node, ast.BinOp):
        yield from [*bare(node.left), *bare(node.right)]
    elif isinstance(node, (ast.JoinedStr, ast.Constant)):
        yield from strings(node)


def texts(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """The words of a file, by what they are words of."""
    found: dict[str, list[ast.expr]] = {kind: [] for kind in ("docstring", "error", "line", "setting", "data set", "printed")}
    for node in ast.walk(tree):
        if is_text(node):
            found["docstring"].append(node.value)
        if isinstance(node, ast.Raise):
            found["error"] += strings(node)
        if not isinstance(node, ast.Call):
            continue
        called, named = ast.unparse(node.func), {k.arg: k.value for k in node.keywords}
        if re.fullmatch(LEVELS, called) and "file" not in named:
            found["line"] += [text for argument in node.args for text in bare(argument)]
        kind = "data set" if called == "DatasetInfo" else "setting"
        for key in KEYWORDS.get(called, "").split():
            found[kind] += strings(named.get(key, ast.Pass()))
        if called == "setting":
            found[kind] += [text for argument in node.args[1:3] for text in strings(argument)]
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("TITLE", "UNIT", "SECTION"):
            found["printed"] += strings(node.value)
    return found


def reword(source: str, *kinds: str) -> tuple[str, Counter]:
    """The file with `` reworded`` before the closing quote of every text of these kinds, and at the end of every comment."""
    found, count = texts(ast.parse(source)), Counter()
    lines = source.encode().splitlines(keepends=True)
    nodes = {(node.end_lineno, node.end_col_offset): kind for kind in kinds if kind != "comment" for node in found[kind]}
    for (line, column), kind in sorted(nodes.items(), reverse=True):
        before, after = lines[line - 1][:column], lines[line - 1][column:]
        quote = 3 if before.endswith((b'"""', b"'''")) else 1
        assert before[-quote:] in (b'"""', b"'''", b'"', b"'")
        lines[line - 1] = before[:-quote] + b" reworded" + before[-quote:] + after
        count[kind] += 1
    out = b"".join(lines).decode()
    if "comment" in kinds:
        rows = out.splitlines(keepends=True)
        for token in tokenize.generate_tokens(io.StringIO(out).readline):
            if token.type == tokenize.COMMENT:
                rows[token.end[0] - 1] = rows[token.end[0] - 1].rstrip("\n") + " reworded\n"
                count["comment"] += 1
        out = "".join(rows)
    return out, count


def seen(words: bool) -> tuple[dict[str, str], dict[tuple[str, ...], str]]:
    """Fingerprints of every module alone, and of what rules ask for."""
    provenance.hash_module.cache_clear()
    alone = {name: fingerprint(name, words=words, without=ALONE) for name in EVERY}
    return alone, {rule: fingerprint(*rule, words=words) for rule in [*RULES, PRINTERS]}


def test_comments_docstrings_and_formatting_never_count(copy):
    wordless, words, count = seen(False), seen(True), Counter()
    for name in EVERY:
        source, n = reword(path_of(name).read_text(), "comment", "docstring")
        path_of(name).write_text(source)
        count += n
    assert count["comment"] > 50 < count["docstring"]
    assert seen(True) == words  # sees all that the other sees
    for name in EVERY:
        path_of(name).write_text(ast.unparse(ast.parse(path_of(name).read_text())))
    assert seen(False) == wordless


def test_a_fit_is_blind_to_words_and_a_table_is_not(copy):
    wordless, words, count = seen(False), seen(True), {}
    for name in EVERY:
        source, count[name] = reword(path_of(name).read_text(), "error", "line", "setting", "data set", "printed")
        assert ast.parse(source)
        path_of(name).write_text(source)
    assert seen(False) == wordless
    now = seen(True)
    assert {name for name in EVERY if now[0][name] != words[0][name]} == {name for name in EVERY if count[name]}
    speaks = {rule for rule in now[1] if any(count[name] for name in modules_behind(*rule))}
    assert {rule for rule in now[1] if now[1][rule] != words[1][rule]} == speaks  # a helper that only calculates has no words
    together = sum((count[name] for name in COVERED), Counter())
    assert set(together) == {"error", "line", "setting", "data set", "printed"}, (
        "a kind of words is nowhere: the test says nothing"
    )


# --- The real package, broken.


def mutant(node: ast.AST) -> tuple[str, object] | None:
    """A field of a node and another value of it: code that does something else."""
    match node:
        case ast.Constant(value=bool() as value):
            return "value", not value
        case ast.Constant(value=str() as value):
            return "value", value + "x"
        case ast.Constant(value=int() | float() as value):
            return "value", value + 1
        case ast.Constant(value=None):
            return "value", 0
        case ast.BinOp(op=op) | ast.AugAssign(op=op):
            return "op", ast.Add() if isinstance(op, ast.Sub) else ast.Sub()
        case ast.BoolOp(op=op):
            return "op", ast.Or() if isinstance(op, ast.And) else ast.And()
        case ast.UnaryOp():
            return "op", ast.UAdd()
        case ast.Compare(ops=[op, *others]):
            return "ops", [ast.NotEq() if isinstance(op, ast.Eq) else ast.Eq(), *others]
        case ast.Name(id=name):
            return "id", name + "_"
        case ast.Attribute(attr=name):
            return "attr", name + "_"
        case ast.arg(arg=name) | ast.keyword(arg=str() as name):
            return "arg", name + "_"
        case ast.alias(name=name):
            return "name", name + "_"
        case ast.arguments(defaults=[_, *others]):
            return "defaults", others
        case ast.FunctionDef(decorator_list=[_, *others]) | ast.ClassDef(decorator_list=[_, *others]):
            return "decorator_list", others
        case ast.Call(args=[_, *others]):
            return "args", others
        case ast.Raise(exc=ast.expr(), cause=None):
            return "exc", None
        case ast.If(test=test):
            return "test", ast.UnaryOp(ast.Not(), test)
        case ast.Return(value=ast.expr()):
            return "value", None
        case ast.Subscript():
            return "slice", ast.Constant("another")
    return None


def blind(tree: ast.Module) -> set[int]:
    """Nodes that a fingerprint does not see: words with all that is in them, but for the values a log line names."""
    out: set[int] = set()
    for kind, found in texts(tree).items():
        for text in found:
            if kind == "line" and isinstance(text, ast.JoinedStr):
                values = [value for value in text.values if isinstance(value, ast.FormattedValue)]
                inner = [value for value in text.values if value not in values]
                inner += [n for value in values if value.format_spec for n in ast.walk(value.format_spec)]
                out |= {id(n) for n in inner}
            else:
                out |= {id(n) for n in ast.walk(text)}
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            out |= {id(inner) for part in node.body for inner in ast.walk(part)}
    return out


def is_shell(node: ast.AST, words: set[int]) -> bool:
    """Whether a node holds nothing by itself: it goes when its words do, or its values stay without it."""
    typing = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    several = isinstance(node, ast.Tuple) and all(id(part) in words for part in node.elts)
    name = isinstance(node, ast.Name) and node.id == "TYPE_CHECKING"
    return isinstance(node, (ast.Pass, ast.FormattedValue)) or is_text(node) or typing or several or name


def test_nothing_but_words_is_left_out():
    """Every node of the package, one by one: of a file's tree are left all nodes but its words and what does not run."""
    n_words = 0
    for name in EVERY:
        tree = ast.parse(path_of(name).read_text())
        nodes, unseen = list(ast.walk(tree)), blind(tree)
        words = {id(text) for found in texts(tree).values() for text in found}
        lost = {id(node) for node in nodes if is_shell(node, words)} | unseen | words
        left = {id(node) for node in ast.walk(provenance._Wordless().visit(tree))}
        assert not words & left, name
        assert not {id(node) for node in nodes} - left - lost, name
        n_words += len(words)
    assert n_words > 500


def test_every_mutant_is_seen(copy):
    """Constants, operators, names, arguments, defaults, decorators: each alone, no two alike, and any two together."""
    rng = random.Random(2508)
    trees = {name: ast.parse(path_of(name).read_text()) for name in COVERED}
    where: dict[str, list[tuple[str, ast.AST]]] = {}
    for name, tree in trees.items():
        unseen = blind(tree)
        for node in ast.walk(tree):
            if id(node) not in unseen and mutant(node):
                kind = type(node.value) if isinstance(node, ast.Constant) else type(node)
                where.setdefault(kind.__name__, []).append((name, node))
    assert len(where) >= 20
    drawn = [case for cases in where.values() for case in rng.sample(cases, min(N_MUTANTS, len(cases)))]
    assert len(drawn) > 250
    hashes: dict[str, list[str]] = {name: [afresh(name, without=ALONE)] for name in trees}
    last: dict[str, ast.AST] = {}
    for name, node in drawn:
        undo = [change(node)]
        hashes[name].append(written(name, trees[name]))
        if name in last and rng.random() < 0.3 and apart(node, last[name]):
            undo.append(change(last[name]))
            hashes[name].append(written(name, trees[name]))
        for field, value, changed in reversed(undo):
            setattr(changed, field, value)
        last[name] = node
    for name, tree in trees.items():
        assert written(name, tree) == hashes[name][0], f"{name}: the mutants were not of this file"
        twice = [n for n, count in Counter(hashes[name]).items() if count > 1]
        assert not twice, name


def apart(node: ast.AST, other: ast.AST) -> bool:
    """Whether neither is part of the other, so that one edit does not hide the other."""
    return all(one is not inner for one, all_of in ((node, other), (other, node)) for inner in ast.walk(all_of))


def change(node: ast.AST) -> tuple[str, object, ast.AST]:
    """Make a node its mutant; field and value it had."""
    field, value = mutant(node)
    before = getattr(node, field)
    setattr(node, field, value)
    return field, before, node


def written(name: str, tree: ast.Module) -> str:
    """Fingerprint of one module with this tree for its source."""
    path_of(name).write_text(ast.unparse(tree))
    return afresh(name, without=ALONE)


def test_every_rule_sees_every_module_behind_it(copy):
    before = {rule: fingerprint(*rule) for rule in RULES}
    behind = {rule: modules_behind(*rule) for rule in RULES}
    for name in random.Random(2508).sample(COVERED, 2):
        path = path_of(name)
        kept = path.read_text()
        path.write_text(kept + "\nADDED = 1\n")
        provenance.hash_module.cache_clear()
        assert {r for r in RULES if fingerprint(*r) != before[r]} == {r for r in RULES if name in behind[r]}, name
        path.write_text(kept)


# --- The commit.


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
