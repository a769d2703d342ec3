"""What a config must be beyond the type of each key: names exist, sections agree, models accept their settings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from himoe import registry
from himoe.config.errors import explain
from himoe.config.facts import dataset_info
from himoe.config.feasibility import check_feasibility
from himoe.config.protocols import PROTOCOLS
from himoe.config.run import Config
from himoe.config.sections import Features, Variant
from himoe.config.transfer import check_transfer
from himoe.names import STUDIED, TWIN, dataset_variant, model_variant, parse_dataset, parse_model, parse_setting, people_of
from himoe.types import HimoeError

PLUGINS_OF = {  # key of the config -> kind of the plug-ins that it names
    "datasets": "datasets", "models": "models", "conditions": "conditions", "figures": "figures", "tables": "tables",
    "targets": "datasets", "editions": "datasets", "annotator_lag": "datasets", "dataset_options": "datasets",
    "controls": "controls",
}  # fmt: skip
LISTS = ("datasets", "models", "protocols", "seeds", "few_shot", "figures", "tables")
PER_DATASET = ("targets", "editions", "annotator_lag", "dataset_options")


def check(config: Config) -> None:
    """Raises HimoeError in one line, with the path of the key and the nearest valid name."""
    _check_names_exist(config)
    _check_nothing_twice(config)
    _check_whole_names(config)
    _check_dataset_variants(config)
    for dataset in config.datasets:
        if registry.is_planted(dataset):
            _check_planted(config, dataset)
    _check_datasets(config)
    _check_editions(config)
    _check_dataset_options(config)
    _check_labels(config)
    _check_ablations(config)
    _check_variants(config)
    _check_model_settings(config)
    check_feasibility(config)
    check_transfer(config)


def _check_names_exist(config: Config) -> None:
    models = registry.available("models")
    _check_names("model_options", config.model_options, models)
    for control, controlled in config.controls.items():  # before the models that controls add to the run's
        _check_names(f"controls.{control}", controlled, models)
    for name, regime in config.regimes.items():
        _check_names(f"regimes.{name}.models", regime.models, models)
    if config.learning_curve:
        _check_names("learning_curve.models", config.learning_curve.models, config.compared)
    for key, kind in PLUGINS_OF.items():
        for name in getattr(config, key):
            registry.check(kind, name, f"config: {key}")
            functions = registry.peek(kind, name)["functions"]  # a file that is no Python is found here
            if kind == "models" and "build" not in functions and not {"fit", "predict"} <= set(functions):
                raise HimoeError(f"config: {key}: {name}: its file defines neither build nor fit and predict, as functions")
    _check_names("protocols", config.protocols, PROTOCOLS)
    for dataset, others in config.transfer.items():
        _check_names("transfer", [dataset], config.datasets)
        _check_names(f"transfer.{dataset}", others, config.datasets)
    for setting, models in config.models_on.items():
        dataset, protocol = parse_setting(setting)
        _check_names("models_on", [dataset], config.datasets)
        _check_names(f"models_on.{setting}", [protocol] if protocol else [], config.protocols)
        _check_names(f"models_on.{setting}", models, config.models)


def _check_whole_names(config: Config) -> None:
    for model in config.models:
        if parse_model(model).whole != model:
            raise HimoeError(f"config: models: '{model}' names no variant; write '{parse_model(model).whole}'")
    for dataset in config.datasets:
        name = parse_dataset(dataset)
        if name.whole != dataset or (registry.is_planted(dataset) and name.twin):
            raise HimoeError(
                f"config: datasets: '{dataset}' is not the whole name of a data set, as deap_twin or planted-null.3"
            )
        if not registry.is_planted(dataset) and (name.rated or name.replicate):
            raise HimoeError(f"config: datasets: {dataset}: only planted data sets have such names, as planted_rated-NAME.3")


def _check_nothing_twice(config: Config) -> None:
    for key in ("targets", "controls", "models_on", "conditions", "transfer"):
        for name, values in getattr(config, key).items():
            _refuse_twice(f"{key}.{name}", values)
    for key in ("people", "models"):
        _refuse_twice(f"learning_curve.{key}", getattr(config.learning_curve, key))
    for name, parts in config.variants.items():
        for dataset, variant in parts.items():
            _refuse_twice(f"variants.{name}.{dataset}.modalities", variant.modalities)
    for key in LISTS:  # after those that add to the models
        _refuse_twice(key, getattr(config, key))


def _refuse_twice(key: str, values: list[Any]) -> None:
    if repeated := [value for value in values if values.count(value) > 1]:
        raise HimoeError(f"config: {key}: {repeated[0]} appears twice")


def _check_planted(config: Config, dataset: str) -> None:
    _, _, _, name, replicate = parse_dataset(dataset)
    _check_names(f"datasets: {dataset}: planted", [name], config.planted)
    if replicate and not re.fullmatch(r"0|[1-9][0-9]{0,5}", replicate):
        raise HimoeError(f"config: datasets: {dataset}: a replicate is a number of six digits at most, as in planted-{name}.0")
    for key in ("targets", "annotator_lag"):
        if dataset in getattr(config, key):
            raise HimoeError(f"config: {key}: planted data sets such as {dataset} have both targets and no annotator")
    planted, modalities = config.planted[name], [m.name for m in dataset_info(dataset).modalities]
    _check_names(f"planted.{name}.models", planted.models, config.models)
    _check_names(f"planted.{name}.conditions", planted.conditions or [], config.conditions)
    _check_names(f"planted.{name}.informative", planted.informative, modalities)


def _check_dataset_variants(config: Config) -> None:
    for name, parts in config.variants.items():
        for dataset, variant in parts.items():
            where = f"variants.{name}.{dataset}"
            registry.check("datasets", dataset, f"config: {where}")
            if registry.is_planted(dataset) or registry.is_variant(dataset):
                raise HimoeError(f"config: {where}: variants are of recorded data sets and of twins")
            if variant.common_with:
                registry.check("datasets", variant.common_with, f"config: {where}.common_with")
                if not config.modalities_of(dataset_variant(dataset, name)):
                    raise HimoeError(f"config: {where}.common_with: '{variant.common_with}' has no modality of the same name")
            if variant == Variant():
                raise HimoeError(
                    f"config: {where}: says nothing that differs: name modalities, common_with, features or annotator_lag"
                )
            _check_names(f"{where}.modalities", variant.modalities, [m.name for m in dataset_info(dataset).modalities])
            if (varied := dataset_variant(dataset, name)) not in config.datasets:
                raise HimoeError(f"config: {where}: '{dataset}' is not in datasets; name it as there, twins with {TWIN}")
            if variant.is_other_choice and dataset not in config.datasets:
                raise HimoeError(f"config: {where}: an other choice is held against '{dataset}', which is not in datasets")
            try:
                config.features_of(varied)
            except ValidationError as error:
                raise HimoeError(f"config: {explain(error, Features, variant.features, f'{where}.features')}") from error
            if _prepared(config, varied) == _prepared(config, dataset):
                raise HimoeError(
                    f"config: {where}: what it says is so in '{dataset}' already, or its features are of other recipes"
                )
    for dataset in filter(registry.is_variant, config.datasets):
        known = [name for name, parts in config.variants.items() if registry.recorded_as(dataset) in parts]
        _check_names(f"datasets: {dataset}: variants", [parse_dataset(dataset).variant], known)


def _prepared(config: Config, dataset: str) -> tuple[Any, ...]:
    """What a data set's tokens, and what fits are given of them, depend on."""
    return config.preparation_of(dataset), config.features_of(dataset).baseline


def _check_datasets(config: Config) -> None:
    if len({registry.is_synthetic(d) for d in config.datasets}) > 1:
        raise HimoeError("config: datasets: real and simulated data sets in one run would share figures; use two config files")
    for key in PER_DATASET:
        if parts := [d for d in getattr(config, key) if registry.is_variant(d)]:
            raise HimoeError(
                f"config: {key}: '{parts[0]}' is a variant of {registry.recorded_as(parts[0])}; say it of that one"
            )
        if absent := [d for d in getattr(config, key) if d not in config.prepared]:
            raise HimoeError(f"config: {key}: '{absent[0]}' is not in datasets; name it as there, twins with {TWIN}")


def _check_editions(config: Config) -> None:
    for dataset, edition in config.editions.items():
        _check_names(f"editions.{dataset}", [edition], [e.name for e in dataset_info(dataset).editions])


def _check_dataset_options(config: Config) -> None:
    for dataset, options in config.dataset_options.items():
        defaults = registry.peek("datasets", dataset).get("OPTIONS", {})
        _check_names(f"dataset_options.{dataset}", options, defaults)
        for name, value in options.items():
            expected = type(defaults[name])
            if type(value) is not expected:
                raise HimoeError(f"config: dataset_options.{dataset}.{name}: expected a {expected.__name__}, got {value!r}")


def _check_labels(config: Config) -> None:
    delayed = [(f"annotator_lag.{d}", d) for d in config.annotator_lag]
    for name, parts in config.variants.items():
        delayed += [(f"variants.{name}.{d}.annotator_lag", d) for d, v in parts.items() if v.annotator_lag is not None]
    for where, dataset in delayed:
        if not dataset_info(dataset).per_token:
            raise HimoeError(f"config: {where}: its labels are per trial; there is nothing to delay")
    for dataset, targets in config.targets.items():
        _check_names(f"targets.{dataset}", targets, dataset_info(dataset).targets)


def _check_variants(config: Config) -> None:
    """Models with a variant are ablations of the studied model, networks under a regime, any model under a control, or any that
    learns from fewer people."""
    for model in (m for m in config.models if parse_model(m).variant):
        plugin, variant = parse_model(model)
        if variant in config.regimes:
            if not registry.is_network(plugin):
                raise HimoeError(f"config: regimes.{variant}: {plugin} is no network, so nothing is augmented in its training")
            _check_names(f"regimes.{variant}.models", [plugin], config.models)
        elif people_of(model):
            _check_names("models", [model], config.learning_curve.arms)
        elif not registry.control_of(model):
            _check_names("models", [plugin], [STUDIED])
            _check_names("models: ablation", [variant], [*config.ablations, *config.regimes])
        elif registry.peek("controls", variant).get("NEEDS_INPUT") and registry.peek("models", plugin).get("BLIND"):
            raise HimoeError(f"config: controls.{variant}: {plugin} reads no physiology, so the control would change nothing")


def _check_ablations(config: Config) -> None:
    _check_names("ablations_under", config.ablations_under or [], config.conditions)
    if config.ablations and STUDIED not in config.models:
        raise HimoeError(f"config: ablations: they are compared with {STUDIED}, which is not in models")
    of_fewer = [name for name in (*config.ablations, *config.regimes) if people_of(model_variant(STUDIED, name))]
    kinds = {"control": registry.available("controls"), "model of fewer people": of_fewer, "regime": config.regimes}
    for key, names, others in (
        ("ablations", config.ablations, tuple(kinds)),
        ("regimes", config.regimes, ("control", "model of fewer people")),
    ):
        for name in names:
            if taken := [kind for kind in others if name in kinds[kind]]:
                raise HimoeError(f"config: {key}.{name}: that is the name of a {taken[0]}; choose another one")


def _check_model_settings(config: Config) -> None:
    for model, options in config.model_options.items():
        _settings(model, options, f"model_options.{model}")
    studied = config.model_options.get(STUDIED, {})
    variants = [_settings(STUDIED, studied | options, f"ablations.{name}") for name, options in config.ablations.items()]
    causal = any(getattr(settings, "causal", False) for settings in (_settings(STUDIED, studied, ""), *variants))
    if causal and config.training.readout != "none":
        raise HimoeError("config: training.readout: it fills lost tokens with the mean of their window, which is not causal")


def _settings(model: str, options: dict[str, Any], path: str) -> BaseModel:
    """A model's settings, which its plug-in checks."""
    settings = registry.config_class(model)
    try:
        return settings.model_validate(options)
    except ValidationError as error:
        raise HimoeError(f"config: {explain(error, settings, options, path)}") from error


def _check_names(where: str, names: Iterable[str], valid: Iterable[str]) -> None:
    for name in names:
        if name not in (known := list(valid)):
            suggestion = " ".join(filter(None, [registry.hint(name, known), f"valid names: {', '.join(known) or 'none'}"]))
            raise HimoeError(f"config: {where}: there is no '{name}'; {suggestion}")
