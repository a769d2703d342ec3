"""Which code each kind of job depends on, as fingerprints: Snakemake does not see edits of an imported package."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache

from himoe import registry
from himoe.names import plugin_of
from himoe.provenance import fingerprint

# What changes no result: the frame that every script runs in, and which versions of torch are let in.
LEFT_OUT = ("himoe.job", "himoe.train.versions")
SCRIPTS = registry.ROOT.parent / "workflow/scripts"
# What is of the other kind of model: a change of a network refits no estimator, and the other way round.
OF_ESTIMATORS = ("himoe.train.estimators", "himoe.train.row_bank")
OF_NETWORKS = (
    "himoe.nn", "himoe.train.build", "himoe.train.checkpoint", "himoe.train.devices", "himoe.train.networks",
    "himoe.train.stack", "himoe.train.windows",
)  # fmt: skip


@cache
def script_code(script: str, without: tuple[str, ...] = (), words: bool = False) -> str:
    """Of all that a script of ``workflow/scripts`` imports, but for what changes no result."""
    tree = ast.parse((SCRIPTS / f"{script}.py").read_text(encoding="utf-8"))
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "himoe":
            modules |= {f"{node.module}.{a.name}" if node.module == "himoe" else node.module for a in node.names}
            modules |= {child for a in node.names if _is_module(child := f"{node.module}.{a.name}")}
    modules = {m for m in modules if _is_module(m) and m not in LEFT_OUT}
    return fingerprint(*sorted(modules), without=(*without, *LEFT_OUT), words=words)


@cache
def plugin_code(kind: str, name: str) -> str:
    """Of a plug-in and of all that it imports."""
    return fingerprint(f"himoe.{kind}.{plugin_of(kind, name)}")


def dataset_code(script: str, dataset: str) -> list[str]:
    """Of a script that runs a data set's plug-in."""
    return [script_code(script), plugin_code("datasets", dataset)]


def fit_code(model: str) -> list[str]:
    """Of a fit: the trainer, the model, the one whose size it matches, its control."""
    codes = [script_code("fit_model", (*_of_others(model), "himoe.config.claims")), plugin_code("models", model)]
    if reference := registry.peek("models", model).get("REFERENCE"):
        codes.append(plugin_code("models", reference))
    if control := registry.control_of(model):
        codes.append(plugin_code("controls", control))
    return codes


def predict_code(model: str, conditions: Iterable[str] = (), script: str = "predict") -> list[str]:
    """Of a prediction: the fit's, and the conditions that test rows are put through."""
    predicting = script_code(script, _of_others(model))
    return [*fit_code(model), predicting, *(plugin_code("conditions", name) for name in conditions)]


def audit_code(controls: Iterable[str]) -> list[str]:
    """Of the audit, which changes data as the controls do."""
    return [script_code("audit_fits"), *(plugin_code("controls", name) for name in controls)]


def _of_others(model: str) -> tuple[str, ...]:
    return OF_ESTIMATORS if registry.is_network(model) else OF_NETWORKS


def _is_module(name: str) -> bool:
    path = registry.ROOT.joinpath(*name.split(".")[1:])
    return path.with_suffix(".py").is_file()
