"""Where a result comes from: hashes of code, files and values, the commit and the environment."""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import re
import subprocess
from functools import cache
from importlib import metadata
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
VERSIONED = ("himoe", "numpy", "scipy", "pandas", "pyarrow", "torch", "scikit-learn", "neurokit2", "mne", "edfio", "snakemake")
RUNS = ("himoe", "workflow", "report", "envs", "config", "Snakefile")
LINE = re.compile(
    r"(log|logger|logging)\.(debug|info|warning|error|critical|exception|log)|warnings\.warn|sys\.stderr\.write|print"
)
PRINTED = {"TITLE", "UNIT", "SECTION"}
DRAWN = {"COLOUR", "PLACE"}  # how figures show a model
WORDS = {
    "setting": {"description", "source"},
    "Field": {"description"},
    "DatasetInfo": {"title", "citation", "licence", "access", "caveats"},
}
NO_CHECKOUT = "not a git checkout"


def fingerprint(*modules: str, words: bool = False, without: tuple[str, ...] = ()) -> str:
    """Hash of the code behind these modules and all of the package they import (12 hex digits).

    Snakemake does not see edits of an imported package, so every rule passes this as a parameter. It is blind to comments,
    docstrings, formatting and imports for annotations (``if TYPE_CHECKING``) and, unless ``words`` are asked for, to what the
    code says to people: texts of errors, log lines and warnings, descriptions and sources of settings, the words about a data
    set, and the titles, units, sections, colours and places of plug-ins. ``without`` is as in :func:`modules_behind`.
    """
    behind = modules_behind(*modules, without=without, words=words)
    return hash_value([(name, hash_module(name, words)[0]) for name in behind])[:12]


def modules_behind(*modules: str, without: tuple[str, ...] = (), words: bool = False) -> list[str]:
    """These modules and all of the package they import, sorted; the walk enters no module that ``without`` names, nor one below
    a package it names. (``words`` finds the same; a caller that hashes them spares the second reading.)"""
    todo, seen = list(modules), set()
    while todo:
        if (name := todo.pop()) not in seen:
            seen.add(name)
            todo += [i for i in hash_module(name, words)[1] if not any(f"{i}.".startswith(f"{w}.") for w in without)]
    return sorted(seen)


@cache
def hash_module(name: str, words: bool) -> tuple[str, list[str]]:
    """(hash of what counts in a module's syntax tree, modules of the package it imports)."""
    path = _file(name)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    tree = (_Code() if words else _Wordless()).visit(ast.parse(path.read_text(encoding="utf-8")))
    imports: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            children = [f"{source}.{alias.name}" for alias in node.names]
            imports += [child if _file(child).is_file() else source for child in children]
        elif isinstance(node, ast.Import):
            imports += [alias.name for alias in node.names]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), [i for i in imports if i.startswith("himoe.")]


def _file(name: str) -> Path:
    base = PACKAGE.joinpath(*name.split(".")[1:])
    package = base / "__init__.py"
    return package if package.is_file() else base.with_suffix(".py")


class _Code(ast.NodeTransformer):
    """Leaves out what does not run: texts that are statements of their own (docstrings), ``pass``, imports for annotations."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Nothing of a text."""
        return None if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) else self.generic_visit(node)

    def visit_Pass(self, node: ast.Pass) -> None:
        """Nothing of it: a docstring may stand for it."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """What runs of ``if TYPE_CHECKING``: the ``else``."""
        self.generic_visit(node)
        return node.orelse if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" else node


class _Wordless(_Code):
    """Leaves out what is said to people, too."""

    def visit_Module(self, node: ast.Module) -> ast.AST:
        """Without what reports print of a plug-in, and how they draw it, unless its code reads that itself."""
        read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        for part in [part for part in node.body if isinstance(part, ast.Assign)]:
            named = {ast.unparse(target) for target in part.targets}
            if named <= PRINTED:
                part.value = _Texts().visit(part.value)
            elif named <= DRAWN - read:
                node.body.remove(part)
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Without the texts of an error."""
        return _Texts().generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Without the texts of a log line, a setting, a data set."""
        self.generic_visit(node)
        called = ast.unparse(node.func)
        if LINE.fullmatch(called) and all(keyword.arg != "file" for keyword in node.keywords):  # into a file: no words but data
            node.args = [_Line().visit(argument) for argument in node.args]
        elif called == "setting":
            node.args[1:3] = [_Texts().visit(argument) for argument in node.args[1:3]]
        for keyword in node.keywords:
            if keyword.arg in WORDS.get(called, ()):
                keyword.value = _Texts().visit(keyword.value)
        return node


class _Texts(ast.NodeTransformer):
    """Empties every text, and makes one of several."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        """Empty, if it is a text."""
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """Empty, with the values that it names."""
        return ast.Constant("")

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        """One text, if it is made of texts: their number counts no more."""
        self.generic_visit(node)
        return ast.Constant("") if all(isinstance(n, ast.Constant) and n.value == "" for n in node.elts) else node


class _Line(_Texts):
    """Empties the texts of a log line alone: the code goes on after it, and what its values are computed of may be data."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """The values that it names."""
        return ast.Tuple([self.visit(v.value) for v in node.values if isinstance(v, ast.FormattedValue)], ast.Load())

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Texts that are put together or chosen from; nothing that another call gets or that is looked up."""
        return super().generic_visit(node) if isinstance(node, (ast.BinOp, ast.IfExp)) else node


def hash_value(value: Any) -> str:
    """SHA-256 of a value as canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def hash_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def commit(root: Path, *files: str) -> str:
    """Commit of the checkout (12 digits), with ``-dirty`` where :func:`changes` finds any; ``not a git checkout`` elsewhere."""
    try:
        [head] = _git(root, "rev-parse", "--short=12", "HEAD")
        return f"{head.strip()}-dirty" if _changed(root, files) else head.strip()
    except (OSError, subprocess.SubprocessError):
        return NO_CHECKOUT


def changes(root: Path, *files: str) -> list[str]:
    """Tracked files that differ from the commit, files in the folders that run which git neither tracks nor ignores (a plug-in
    dropped in), and those of ``files`` (the run's config) that git does not track, wherever they are: paths from the root, of
    what is elsewhere the name alone; sorted; none where there is no checkout."""
    try:
        return _changed(root, files)
    except (OSError, subprocess.SubprocessError):
        return []


def _changed(root: Path, files: tuple[str, ...]) -> list[str]:
    tracked = _git(root, "diff", "HEAD", "--name-only", "--no-renames", "--relative", "-z")
    added = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *RUNS)
    return sorted({*tracked, *added, *_untracked(root, files)})


def _untracked(root: Path, files: tuple[str, ...]) -> list[str]:
    paths = [Path(file).resolve() for file in files]
    inside = [p.relative_to(root.resolve()).as_posix() for p in paths if p.is_relative_to(root.resolve())]
    outside = [p.name for p in paths if not p.is_relative_to(root.resolve())]
    tracked = _git(root, "ls-files", "-z", "--", *inside) if inside else []
    return [*outside, *(path for path in inside if path not in tracked)]


def _git(root: Path, *arguments: str) -> list[str]:
    """What git answers, an item of a ``-z`` list each."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=True, timeout=60)
    return [item for item in done.stdout.decode(errors="replace").split("\0") if item]


def environment() -> dict[str, str]:
    """Versions of what a result depends on, and the machine's kind."""
    versions = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    for name in VERSIONED:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "absent"
    return versions
