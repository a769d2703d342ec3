"""What a config must be beyond the type of each key: names exist, sections agree. One line for whatever does not."""

from __future__ import annotations

import difflib
from typing import Any

from himoe import registry
from himoe.config.facts import dataset_info
from himoe.config.protocols import PROTOCOLS
from himoe.config.run import Config
from himoe.names import STUDIED, TWIN, parse_dataset, parse_model
from himoe.types import HimoeError


def check(config: Config) -> None:
    """Raises HimoeError in one line, with the path of the key and the nearest valid name."""
    _names(config)
    _planted(config)
    _datasets(config)
    _variants(config)


def _names(config: Config) -> None:
    for kind, names in (
        ("datasets", config.datasets), ("models", config.models), ("conditions", list(config.conditions)),
        ("figures", config.figures), ("tables", config.tables), ("datasets", list(config.targets)),
        ("models", list(config.model_options)), ("datasets", list(config.editions)), ("datasets", list(config.annotator_lag)),
        ("datasets", list(config.dataset_options)), ("controls", list(config.controls)),
    ):  # fmt: skip
        for name in names:
            registry.check(kind, name)
        if len(set(names)) != len(names):
            raise HimoeError(f"config: {kind}: a name appears twice in {names}")
    _check_names("protocols", config.protocols, PROTOCOLS)
    for key in ("protocols", "seeds"):
        if len(set(getattr(config, key))) != len(getattr(config, key)):
            raise HimoeError(f"config: {key}: a value appears twice in {getattr(config, key)}")


def _planted(config: Config) -> None:
    for dataset in config.datasets:
        if not registry.is_planted(dataset):
            if parse_dataset(dataset).variant or registry.is_rated(dataset):
                raise HimoeError(f"config: datasets: {dataset}: only planted data sets have such names, as in planted-NAME")
            continue
        _, _, _, name, replicate = parse_dataset(dataset)
        _check_names(f"datasets: {dataset}: planted", [name], list(config.planted))
        if replicate and not (replicate.isdigit() and replicate == str(int(replicate))):
            raise HimoeError(f"config: datasets: {dataset}: a replicate is a number, as in planted-{name}.0")
        if dataset in config.targets or dataset in config.annotator_lag:
            raise HimoeError(
                f"config: targets and annotator_lag say nothing of {dataset}: it has both targets and no annotator"
            )
        _check_names(f"planted.{name}.models", config.planted[name].models, config.models)
        _check_names(f"planted.{name}.conditions", config.planted[name].conditions or [], list(config.conditions))
        _check_names(f"planted.{name}.informative", list(config.planted[name].informative), _modalities(dataset))


def _datasets(config: Config) -> None:
    if len({registry.is_synthetic(d) for d in config.datasets}) > 1:
        raise HimoeError("config: datasets: real and simulated data sets in one run would share figures; use two config files")
    for key in ("targets", "editions", "annotator_lag", "dataset_options"):
        if strange := [d for d in getattr(config, key) if d not in config.datasets]:
            raise HimoeError(f"config: {key}: '{strange[0]}' is not in datasets; name it as there, twins with {TWIN}")
    for dataset, edition in config.editions.items():
        _check_names(f"editions.{dataset}", [edition], [e.name for e in dataset_info(dataset).editions])
    for dataset, options in config.dataset_options.items():
        own = registry.peek("datasets", dataset).get("OPTIONS", {})
        _check_names(f"dataset_options.{dataset}", list(options), own)
        for name, value in options.items():
            if type(value) is not type(own[name]):
                raise HimoeError(
                    f"config: dataset_options.{dataset}.{name}: expected a {type(own[name]).__name__}, got {value!r}"
                )
    for dataset in config.annotator_lag:
        if not dataset_info(dataset).per_token:
            raise HimoeError(f"config: annotator_lag.{dataset}: its labels are per trial; there is nothing to delay")
    for dataset, targets in config.targets.items():
        _check_names(f"targets.{dataset}", targets, dataset_info(dataset).targets)


def _variants(config: Config) -> None:
    for model in (m for m in config.models if parse_model(m).variant):
        plugin, variant = parse_model(model)
        if registry.control_of(model):
            registry.check("models", plugin)
            if registry.peek("controls", variant).get("NEEDS_INPUT") and registry.peek("models", plugin).get("BLIND"):
                raise HimoeError(f"config: controls.{variant}: {plugin} reads no physiology, so that spoiling it says nothing")
            continue
        _check_names("models", [plugin], [STUDIED])
        _check_names("models: ablation", [variant], list(config.ablations))
    if config.ablations and STUDIED not in config.models:
        raise HimoeError(f"config: ablations: they are compared with {STUDIED}, which is not in models")
    for ablation, options in config.ablations.items():
        if ablation in registry.available("controls"):
            raise HimoeError(f"config: ablations.{ablation}: that is the name of a control; choose another one")
        _check_names(f"ablations.{ablation}", list(options), registry.peek("models", STUDIED)["config_fields"])
    causal = [options.get("causal") for options in (config.model_options.get(STUDIED, {}), *config.ablations.values())]
    if any(causal) and config.training.readout != "none":
        raise HimoeError("config: training.readout: it fills lost tokens with the mean of their window, which is not causal")
    for model, options in config.model_options.items():
        _check_names(f"model_options.{model}", list(options), registry.peek("models", model)["config_fields"])


def _modalities(dataset: str) -> list[str]:
    return [m.name for m in dataset_info(dataset).modalities]


def _check_names(where: str, names: list[str], valid: Any) -> None:
    for name in names:
        if name not in valid:
            near = difflib.get_close_matches(name, valid, n=1)
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise HimoeError(f"config: {where}: there is no '{name}'; {hint}valid names: {', '.join(valid) or 'none'}")
