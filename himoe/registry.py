"""A file in himoe/<kind>/ is a plug-in. Names are found, read and loaded here and nowhere else."""

from __future__ import annotations

import ast
import difflib
import importlib
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from himoe import names, types
from himoe.types import HimoeError

KINDS = ("datasets", "models", "conditions", "controls", "figures", "tables")
ROOT = Path(__file__).parent
SECTIONS = {
    "verdict": "Verdict", "comparison": "Comparison", "robustness": "Robustness", "model": "Inside Hi-MoE", "data": "Data",
    "run": "Compute and decisions",
}  # fmt: skip


def available(kind: str) -> list[str]:
    """Names of the plug-ins of a kind, sorted; files that begin with an underscore are helpers."""
    return sorted(p.stem for p in (ROOT / kind).glob("*.py") if not p.stem.startswith("_"))


@cache
def control_of(model: str) -> str:
    """The control that spoils a model's data: ``ridge-shuffled_labels`` has ``shuffled_labels``; empty for all others."""
    variant = names.parse_model(model).variant
    return variant if variant in available("controls") else ""


def is_ablation(model: str) -> bool:
    """Whether a model is another one with some settings changed."""
    return bool(names.parse_model(model).variant) and not control_of(model)


def is_network(model: str) -> bool:
    """Whether a model is trained by gradients: its plug-in builds a torch module. All others are estimators."""
    return "build" in peek("models", model)["functions"]


def is_twin(dataset: str) -> bool:
    """Whether the data set is simulated in the format of another one."""
    return names.parse_dataset(dataset).twin


def is_rated(dataset: str) -> bool:
    """Whether the data set is the planted one with one label per trial."""
    return names.parse_dataset(dataset).rated


def is_planted(dataset: str) -> bool:
    """Whether the data set is born as tokens whose truth is known."""
    return "tokens" in peek("datasets", dataset)["functions"]


def is_synthetic(dataset: str) -> bool:
    """Whether the data set is simulated, in whatever way."""
    return is_twin(dataset) or is_planted(dataset)


def check(kind: str, name: str) -> str:
    """The name, if there is such a plug-in; HimoeError with the nearest and all valid names if not."""
    known, wanted = available(kind), names.plugin_of(kind, name)
    if wanted in known:
        return name
    near = difflib.get_close_matches(wanted, known, n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    raise HimoeError(f"{kind}: there is no '{name}'; {hint}valid names: {', '.join(known)}")


def load(kind: str, name: str) -> ModuleType:
    """Import a plug-in."""
    check(kind, name)
    return importlib.import_module(f"himoe.{kind}.{names.plugin_of(kind, name)}")


@cache
def peek(kind: str, name: str) -> dict[str, Any]:
    """Read a plug-in's capitalised literals, ``doc``, ``functions`` and ``config_fields`` without importing it.

    A literal may be a call of a record of :mod:`himoe.types`, as in ``INFO = DatasetInfo(...)``.
    """
    check(kind, name)
    path = ROOT / kind / f"{names.plugin_of(kind, name)}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    out: dict[str, Any] = {"doc": ast.get_docstring(tree) or "", "config_fields": [], "functions": functions}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            try:
                out[node.targets[0].id] = _literal(node.value)
            except ValueError:
                continue
        if isinstance(node, ast.ClassDef) and node.name == "Config":
            out["config_fields"] = [n.target.id for n in node.body if isinstance(n, ast.AnnAssign)]
    return out


def _literal(node: ast.expr) -> Any:
    """literal_eval that also builds records of himoe.types and formats ``"...".split()``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and hasattr(types, node.func.id):
        kwargs = {k.arg: _literal(k.value) for k in node.keywords if k.arg}
        return getattr(types, node.func.id)(*[_literal(a) for a in node.args], **kwargs)
    if isinstance(node, ast.Tuple):
        return tuple(_literal(e) for e in node.elts)
    return ast.literal_eval(node)
