"""The package as its fingerprints see it: what rules ask for, its files, its words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from himoe import provenance
from himoe.provenance import fingerprint, modules_behind

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


def names_below(package: str, root: Path) -> list[str]:
    """Modules of a sub-package or, of ``himoe``, of all."""
    folder = root.joinpath(*package.split(".")[1:])
    files = folder.rglob("*.py") if package == "himoe" else folder.glob("*.py")
    return sorted(".".join(["himoe", *f.relative_to(root).with_suffix("").parts]) for f in files if f.stem != "__init__")


PACKAGE = Path(provenance.__file__).parent
EVERY, ALL_MODELS, ALL_READERS = (names_below(package, PACKAGE) for package in ("himoe", MODELS, READERS))
RULES = [*((FIT, model) for model in ALL_MODELS), *((reader,) for reader in ALL_READERS), PREPARE, JUDGE]
COVERED = modules_behind(*{name for rule in RULES for name in rule})


def current_fingerprint(*modules: str, **options) -> str:
    """The fingerprint of the files as they are now."""
    provenance.hash_module.cache_clear()
    return fingerprint(*modules, **options)


def path_of(name: str) -> Path:
    return provenance.PACKAGE.joinpath(*name.split(".")[1:]).with_suffix(".py")


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
