"""Fits of one data set that are tested on the people of another: which there are, and whether both can be read alike."""

from __future__ import annotations

from himoe import registry
from himoe.config.facts import dataset_info
from himoe.config.protocols import PROTOCOLS
from himoe.config.run import Config
from himoe.types import HimoeError


def models_across(config: Config, dataset: str, protocol: str) -> list[str]:
    """Models whose fits are tested across: those that compete and read features, where people are kept apart."""
    fitted = config.models_of(dataset, protocol) if PROTOCOLS[protocol].independent else []
    return [m for m in fitted if config.kind_of(m) == "compared" and not registry.peek("models", m).get("RAW")]


def tested_across(config: Config) -> list[tuple[str, str, str, list[str]]]:
    """(data set, other one, protocol, models) of all that is tested across."""
    pairs = [(dataset, other) for dataset, others in config.transfer.items() for other in others]
    return [(*pair, p, models) for pair in pairs for p in config.protocols if (models := models_across(config, pair[0], p))]


def check_transfer(config: Config) -> None:
    """Raises HimoeError in one line where a data set cannot be read as the other one, or has the same people."""
    for dataset, others in config.transfer.items():
        if not any(models_across(config, dataset, p) for p in config.protocols):
            raise HimoeError(
                f"config: transfer.{dataset}: no model that reads features is fitted there under a protocol that keeps people "
                "apart"
            )
        for other in others:
            _check_pair(config, dataset, other, f"config: transfer.{dataset}: {other}")


def _check_pair(config: Config, dataset: str, other: str, where: str) -> None:
    if registry.recorded_as(dataset) == registry.recorded_as(other):
        raise HimoeError(f"{where}: the same recordings; name a data set of other people")
    if (here := config.targets_of(dataset)) != (there := config.targets_of(other)):
        raise HimoeError(f"{where}: its targets are {', '.join(there)}, not {', '.join(here)}; set `targets`")
    one, two = dataset_info(dataset), dataset_info(other)
    for what in ("token_rate", "token_window", "per_token"):
        if getattr(one, what) != getattr(two, what):
            raise HimoeError(f"{where}: its {what} is {getattr(two, what)}, not {getattr(one, what)}")
    known = {m.name: (m.channels, m.features) for m in two.modalities if m.name in config.modalities_of(other)}
    is_cut = config.variant(dataset).common_with in (registry.recorded_as(other), other)
    for m in one.modalities:
        if m.name not in config.modalities_of(dataset) or (is_cut and m.name in known):
            continue
        if known.get(m.name) != (m.channels, m.features):
            recorded = registry.recorded_as(dataset)
            raise HimoeError(
                f"{where}: it has not the features of {m.name}; write variants: {{common: {{{recorded}: {{common_with: "
                f"{registry.recorded_as(other)}}}}}}} and transfer: {{{recorded}-common: [{other}]}}"
            )
