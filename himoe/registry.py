"""A file in himoe/<kind>/ is a plug-in. Plug-ins are found, read and loaded here and nowhere else."""

from __future__ import annotations

import ast
import difflib
import importlib
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from himoe import names, types
from himoe.types import HimoeError

if TYPE_CHECKING:
    from pydantic import BaseModel

KINDS = ("datasets", "models", "conditions", "controls", "figures", "tables")
ROOT = Path(__file__).parent
GREY, UNPLACED = ("#6b7280", "#9ca3af"), 900  # of a model whose plug-in names no colour and no place


def available(kind: str) -> list[str]:
    """Names of the plug-ins of a kind, sorted; files that begin with an underscore are helpers.

    Parameters
    ----------
    kind
        ``datasets``, ``models``, ``conditions``, ``controls``, ``figures`` or ``tables``.

    Returns
    -------
    list of str
        One for each file of ``himoe/KIND/``.

    Examples
    --------
    >>> import himoe
    >>> {"himoe", "mult", "ridge"} <= set(himoe.available("models"))
    True
    """
    return sorted(p.stem for p in (ROOT / kind).glob("*.py") if not p.stem.startswith("_"))


@cache
def control_of(model: str) -> str:
    """The control that changes a model's data: ``shuffled_labels`` for ``ridge-shuffled_labels``; empty for all others."""
    variant = names.parse_model(model).variant
    return variant if variant in available("controls") else ""


def is_ablation(model: str) -> bool:
    """Whether a model is another one with some settings changed."""
    return bool(names.parse_model(model).variant) and not control_of(model)


def is_network(model: str) -> bool:
    """Whether a model is trained by gradients: its plug-in builds a torch module. All others are estimators."""
    return "build" in peek("models", model)["functions"]


def is_reference(model: str) -> bool:
    """Whether a model is shown for orientation and is nobody's rival: it could not be used on a new stimulus or person
    (``DEPLOYABLE = False`` in its plug-in), or it is a ceiling, made of labels."""
    return model in names.CEILINGS or peek("models", model).get("DEPLOYABLE") is False


def place(model: str) -> int:
    """Where a model stands in the order of every figure and table: ``PLACE`` of its plug-in, which an ablation shares; one
    without stands after all others but Hi-MoE."""
    return int(peek("models", model).get("PLACE", UNPLACED))


def colours(model: str) -> tuple[str, str]:
    """A model's ``#rrggbb`` on a light and on a dark page: ``COLOUR`` of its plug-in, which an ablation shares, or a grey.

    Raises
    ------
    HimoeError
        If ``COLOUR`` is no pair of such texts.
    """
    pair = peek("models", model).get("COLOUR", GREY)
    if not (isinstance(pair, tuple) and len(pair) == 2 and all(re.fullmatch("#[0-9a-f]{6}", str(c)) for c in pair)):
        where = f"himoe/models/{names.plugin_of('models', model)}.py"
        raise HimoeError(f'{where}: COLOUR must be ("#rrggbb", "#rrggbb"), on a light and on a dark page')
    return pair


def is_twin(dataset: str) -> bool:
    """Whether a data set is simulated in the format of another one."""
    return names.parse_dataset(dataset).twin


def is_rated(dataset: str) -> bool:
    """Whether a data set is the planted one with one label per trial."""
    return names.parse_dataset(dataset).rated


def is_planted(dataset: str) -> bool:
    """Whether a data set is simulated as tokens, with a known truth, and not as recordings."""
    return "tokens" in peek("datasets", dataset)["functions"]


def is_variant(dataset: str) -> bool:
    """Whether a data set is the recordings of another one, prepared otherwise or in part."""
    return bool(names.parse_dataset(dataset).variant) and not is_planted(dataset)


def recorded_as(dataset: str) -> str:
    """The data set whose recordings a variant is prepared from; every other one itself."""
    return names.parse_dataset(dataset).recorded if is_variant(dataset) else dataset


def is_synthetic(dataset: str) -> bool:
    """Whether a data set is simulated: a twin or a planted one."""
    return is_twin(dataset) or is_planted(dataset)


def hint(name: str, valid: Iterable[str]) -> str:
    """``did you mean 'ridge'?`` where one of the valid names is close; empty otherwise."""
    near = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else ""


def check(kind: str, name: str, where: str = "") -> str:
    """The name, if there is such a plug-in.

    Raises
    ------
    HimoeError
        With the nearest and all valid names; it begins with ``where``, or with the kind.
    """
    known, wanted = available(kind), names.plugin_of(kind, name)
    if wanted in known:
        return name
    twins = [f"{k}{names.TWIN}" for k in known if not is_planted(k)] if kind == "datasets" else []
    near = hint(name, [*known, *twins]) if twins else hint(wanted, known)
    suggestion = " ".join(filter(None, [near, f"valid names: {', '.join([*known, *twins])}"]))
    raise HimoeError(f"{where or kind}: there is no '{name}'; {suggestion}")


def load(kind: str, name: str) -> ModuleType:
    """Import a plug-in."""
    check(kind, name)
    return importlib.import_module(f"himoe.{kind}.{names.plugin_of(kind, name)}")


@cache
def peek(kind: str, name: str) -> dict[str, Any]:
    """A plug-in's capitalised literals, its docstring (``doc``) and the names of its ``functions``, without importing it.

    A literal may be a record of :mod:`himoe.types`, as in ``INFO = DatasetInfo(...)``.
    """
    check(kind, name)
    tree = syntax_tree(kind, names.plugin_of(kind, name))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    out: dict[str, Any] = {"doc": ast.get_docstring(tree) or "", "functions": functions}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            try:
                out[node.targets[0].id] = _literal(node.value)
            except ValueError:
                continue
    return out


def config_class(model: str) -> type[BaseModel]:
    """The class that holds a model's settings, made without importing the model and torch with it."""
    return compiled("models", names.plugin_of("models", model), "Config")


@cache
def compiled(kind: str, plugin: str, name: str) -> Any:
    """A class or function of a plug-in, made of its own source and of what it uses from the same file, and nothing else.

    What it uses from other files is imported: a model's ``Config`` that takes no more than :mod:`himoe.config.sections` does
    not import torch, a condition's ``margin`` that only calculates does not import numpy.

    Raises
    ------
    HimoeError
        If the file does not define the name, or its source fails.
    """
    check(kind, plugin)
    where = f"himoe/{kind}/{plugin}.py"
    nodes = _needed(syntax_tree(kind, plugin), name)
    if not any(name in _defines(node) for node in nodes):
        raise HimoeError(f"{where}: there is no {name}")
    module = ModuleType(f"himoe.{kind}.{plugin}:{name}")
    sys.modules[module.__name__] = module  # pydantic looks there for what annotations name
    try:
        exec(compile(ast.Module(nodes, type_ignores=[]), where, "exec", dont_inherit=True), module.__dict__)
        return getattr(module, name)
    except Exception as error:
        raise HimoeError(f"{where}: {name}: {type(error).__name__}: {' '.join(str(error).split())}") from error


@cache
def syntax_tree(kind: str, plugin: str) -> ast.Module:
    """A plug-in's file, parsed; HimoeError with the line if it is no Python."""
    try:
        return ast.parse((ROOT / kind / f"{plugin}.py").read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise HimoeError(f"himoe/{kind}/{plugin}.py, line {error.lineno}: {error.msg}") from error


def _needed(tree: ast.Module, name: str) -> list[ast.stmt]:
    """The statements of a module that define a name, and those that define what these use, in their order."""
    defining: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        for defined in _defines(node):
            defining.setdefault(defined, []).append(node)
    wanted = [name]
    kept: list[ast.stmt] = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    while wanted:
        for node in defining.pop(wanted.pop(), []):
            kept.append(node)
            wanted += [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    return [node for node in tree.body if node in kept]


def _defines(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    imports = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
    imported = {alias.asname or alias.name.partition(".")[0] for n in imports for alias in n.names}
    return imported | {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _literal(node: ast.expr) -> Any:
    """literal_eval that also makes records of himoe.types."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and hasattr(types, node.func.id):
        kwargs = {k.arg: _literal(k.value) for k in node.keywords if k.arg}
        return getattr(types, node.func.id)(*[_literal(a) for a in node.args], **kwargs)
    if isinstance(node, ast.Tuple):
        return tuple(_literal(e) for e in node.elts)
    return ast.literal_eval(node)
