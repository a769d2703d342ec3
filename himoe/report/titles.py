"""Names for readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from himoe import registry
from himoe.config.facts import dataset_info
from himoe.config.protocols import PROTOCOLS
from himoe.names import STUDIED, parse_dataset, parse_model, parse_setting, people_of

if TYPE_CHECKING:
    from himoe.report.evidence import Evidence

FEW = "of too few seeds to tell"

CEILINGS = {  # of himoe.names.CEILINGS
    "leave_one_rater_out": "mean of the other raters",
    "rating_bias": "own ratings, others' level",
    "rating_bias_and_spread": "own ratings, others' level and spread",
}


def dataset_of(setting: str) -> str:
    """The data set of a setting."""
    return parse_setting(setting)[0]


def named(datasets: list[str]) -> dict[str, list[str]]:
    """Data sets by title; replicates of a planted one together, ``Planted null (20 replicates)``, and variants with the one
    that they are of, ``DEAP (2 variants)``."""
    groups: dict[str, list[str]] = {}
    for name in datasets:
        groups.setdefault(parse_dataset(registry.recorded_as(name)).without_replicate, []).append(name)
    return {setting_title(whole) + _how_many(names): names for whole, names in groups.items()}


def _how_many(names: list[str]) -> str:
    """How many variants or replicates stand behind a title."""
    n_variants = sum(map(registry.is_variant, names))
    if n_variants:
        return f" ({n_variants} variant{'s' * (n_variants > 1)})"
    return f" ({len(names)} replicates)" if len(names) > 1 else ""


def setting_title(setting: str) -> str:
    """A setting's name for readers: ``DEAP``, ``DEAP twin``, ``DEAP twin, left-out person``."""
    dataset, protocol = parse_setting(setting)
    title = dataset_info(dataset).title + (" twin" if registry.is_twin(dataset) else "")
    if registry.is_planted(dataset):
        title = f"Planted {parse_dataset(dataset).variant.replace('_', ' ')}"
        title += ", one label per trial" if registry.is_rated(dataset) else ""
    if registry.is_variant(dataset):
        title += f", {parse_dataset(dataset).variant.replace('_', ' ')}"
    if protocol:
        title += f", {PROTOCOLS[protocol].title}" + (" (invalid)" if PROTOCOLS[protocol].invalid else "")
    return title


def short_titles(settings: list[str]) -> dict[str, str]:
    """Names that tell settings of one run apart: without the parts that all begin with, where several settings share them."""
    parts = {s: setting_title(s).split(", ") for s in settings}
    shared = 0
    if len(parts) > 1:
        shortest = min(map(len, parts.values()))
        same = (len({p[i] for p in parts.values()}) == 1 for i in range(shortest - 1))
        shared = next((i for i, alike in enumerate(same) if not alike), shortest - 1)
    return {s: ", ".join(p[shared:]) for s, p in parts.items()}


def model_title(name: str) -> str:
    """A model's name for readers; an ablation, a regime, a control or one of fewer people by its model and what is
    changed."""
    if name in CEILINGS:
        return CEILINGS[name]
    plugin, ablation = parse_model(name)
    title = registry.peek("models", plugin).get("TITLE", plugin.replace("_", " "))
    if control := registry.control_of(name):
        return f"{title}, {registry.peek('controls', control)['TITLE']}"
    if n := people_of(name):
        return f"{title}, {n} people"
    return f"{title}, {ablation.replace('_', ' ')}" if ablation else title


def failed_folds(evidence: Evidence, setting: str, model: str = STUDIED) -> str:
    """``, without 2 failed folds``, to follow a panel's title; empty where none failed."""
    n = len(evidence.failed.get((setting, model), []))
    return f", without {n} failed fold{'s' * (n > 1)}" if n else ""


def few_seeds(evidence: Evidence, setting: str) -> str:
    """``, of too few seeds to tell``, to follow a count of who is ahead; empty where intervals hold the luck of training."""
    return f", {FEW}" if evidence.has_few_seeds(setting) else ""
