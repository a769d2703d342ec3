"""Which code each kind of job depends on, as fingerprints: Snakemake does not see edits of an imported package."""

from __future__ import annotations

from collections.abc import Iterable

from himoe import registry
from himoe.names import plugin_of
from himoe.provenance import fingerprint

# What is of the other kind of model: a change of a network refits no estimator, and the other way round.
OF_ESTIMATORS = ("himoe.train.estimators",)
OF_NETWORKS = (
    "himoe.nn", "himoe.train.build", "himoe.train.checkpoint", "himoe.train.devices", "himoe.train.networks",
    "himoe.train.stack", "himoe.train.windows",
)  # fmt: skip


def plugin_code(kind: str, name: str, *modules: str, without: tuple[str, ...] = ()) -> str:
    """Of a plug-in and of the modules that drive it."""
    return fingerprint(f"himoe.{kind}.{plugin_of(kind, name)}", *modules, without=without)


def fit_code(model: str) -> list[str]:
    """Of a fit: the model and the trainer, the model whose size it matches, its control."""
    codes = [plugin_code("models", model, "himoe.train.shard", without=_of_others(model))]
    if reference := registry.peek("models", model).get("REFERENCE"):
        codes.append(plugin_code("models", reference))
    if control := registry.control_of(model):
        codes.append(plugin_code("controls", control))
    return codes


def predict_code(model: str, conditions: Iterable[str]) -> list[str]:
    """Of a prediction: the fit's, and the conditions that test rows are put through."""
    modules = [f"himoe.conditions.{name}" for name in conditions]
    return [*fit_code(model), fingerprint("himoe.evaluate.predict", *modules, without=_of_others(model))]


def audit_code(controls: Iterable[str]) -> list[str]:
    """Of the audit, which changes data as the controls do."""
    return [fingerprint("himoe.evaluate.audit"), *(plugin_code("controls", name) for name in controls)]


def _of_others(model: str) -> tuple[str, ...]:
    return OF_ESTIMATORS if registry.is_network(model) else OF_NETWORKS
