"""Every key of a run: type, default, meaning and where the choice comes from.

``paper`` = the abstract of arXiv 2508.02133, ``cited:<work>`` = a work it rests on, ``ours`` = a decision of this
replication (printed in the report's decision register). ``python -m himoe.schema`` writes schema and key table.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, ValidationError

from himoe import registry
from himoe.settings import Features, Name, Planted, Splits, Statistics, Strict, Training, Twin, setting
from himoe.types import DatasetInfo, HimoeError, Size


class Config(Strict):
    """A run."""

    data_root: str = setting("data", "folder that holds one folder per real data set", "ours", min_length=1)
    datasets: list[Name] = setting(
        ["deap_twin", "dreamer_twin"], "data sets; <name>_twin is simulated in the format of <name>", "ours", min_length=1
    )
    targets: dict[Name, Annotated[list[Name], Field(min_length=1)]] = setting(
        {}, "data set -> targets, where not the default ones", "ours"
    )
    editions: dict[Name, Name] = setting(
        {},
        "data set -> which of its editions to read (deap: python, matlab, raw); else the most complete one",
        "ours",
    )
    download: bool = setting(
        False, "fetch what is absent from its owners' server: open sets, and DEAP with DEAP_USER and DEAP_PASSWORD", "ours"
    )
    annotator_lag: dict[Name, Annotated[float, Field(ge=0, le=20)]] = setting(
        {}, "data set -> reaction time of its annotators, s: the label of time t is the annotation at t + lag", "ours"
    )
    dataset_options: dict[Name, dict[str, Any]] = setting(
        {}, "data set -> its own settings (OPTIONS of its plug-in), e.g. dreamer: {flip_dominance: true}", "ours"
    )
    allow_missing_subjects: bool = setting(False, "go on when files of a subject are absent", "ours")
    protocols: list[Name] = setting(["subject_kfold"], "how subjects are split", "ours", min_length=1)
    models: list[Name] = setting(
        ["train_mean", "stimulus_mean", "ridge", "late_fusion", "himoe"], "models compared", "ours", min_length=1
    )
    model_options: dict[Name, dict[str, Any]] = setting({}, "model -> its own settings, where not the default", "ours")
    ablations: dict[Annotated[str, Field(pattern="^[a-z0-9_]+$")], Annotated[dict[str, Any], Field(min_length=1)]] = setting(
        {}, "NAME -> settings of Hi-MoE: the model himoe-NAME is fitted too and compared with himoe", "ours; rows: the claims"
    )
    seeds: list[Annotated[int, Field(ge=0)]] = setting(
        [0], "seeds of initialisation and of the order of training", "ours", min_length=1
    )
    conditions: dict[Name, Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=1)]] = setting(
        {"missing_rate": [0.0, 0.1, 0.3, 0.5, 0.7], "shift": [0.0, 0.5, 1.0, 2.0, 4.0]},
        "perturbation -> severities evaluated at test time",
        "paper (incomplete and asynchronous inputs); grid ours",
    )
    condition_seed: int = setting(7, "seed of the masks and shifts, shared by all models", "ours", ge=0)
    figures: list[Name] = setting(
        ["missing_curve", "shift_curve", "routing", "prototypes", "predicted", "subjects", "training"],
        "figures of the report, in order",
        "ours",
    )
    tables: list[Name] = setting(
        ["claims", "main", "comparison", "ablations", "robustness", "reported", "data_card", "compute_card", "register"],
        "tables of the report, in order",
        "ours",
        min_length=1,
    )
    features: Features = setting(Features(), "features per token", "ours")
    planted: dict[Annotated[str, Field(pattern="^[a-z0-9_]+$")], Planted] = setting(
        {}, "NAME -> settings of the data sets planted-NAME and planted_rated-NAME; planted-NAME.3 is a replicate", "ours"
    )
    twin: Twin = setting(Twin(), "the simulated twins", "ours")
    splits: Splits = setting(Splits(), "folds", "ours")
    training: Training = setting(Training(), "the trainer", "ours")
    statistics: Statistics = setting(Statistics(), "the comparison", "ours")
    title: str = setting("Hi-MoE replication", "title of the report", "ours", min_length=1, max_length=120)

    def options(self, model: str) -> dict[str, Any]:
        """A model's own settings; an ablation's are those of its model with its own on top."""
        plugin, _, ablation = model.partition(registry.ABLATION)
        return self.model_options.get(plugin, {}) | self.ablations.get(ablation, {})

    @property
    def compared(self) -> list[str]:
        """Models that compete; ablations are compared with the one they are of."""
        return [m for m in self.models if not registry.is_ablation(m)]

    def planted_of(self, dataset: str) -> Planted:
        """Settings of a planted data set; a replicate has a seed of its own."""
        name, _, replicate = dataset.partition(registry.ABLATION)[2].partition(".")
        own = self.planted[name]
        return own.model_copy(update={"seed": own.seed + int(replicate or 0)})

    def models_of(self, dataset: str) -> list[str]:
        """Models fitted on a data set."""
        own = self.planted_of(dataset).models if registry.is_planted(dataset) else []
        return own or self.models

    def size(self, dataset: str) -> Size:
        """Subjects, trials and seconds to expect in a data set."""
        info = dataset_info(dataset)
        if registry.is_planted(dataset):
            own = self.planted_of(dataset)
            return Size(info.subjects[: own.subjects], own.trials, own.seconds)
        if not registry.is_twin(dataset):
            return Size(info.subjects, info.n_trials, info.seconds)
        subjects = info.subjects[: self.twin.subjects]
        trials = min(self.twin.trials, info.n_trials or self.twin.trials)
        return Size(subjects, trials, min(self.twin.seconds, info.seconds or self.twin.seconds))

    def edition(self, dataset: str) -> str:
        """The edition asked for; of a twin, the one it is written in; empty where the first one found will do."""
        names = [e.name for e in dataset_info(dataset).editions]
        return self.editions.get(dataset, names[0] if registry.is_twin(dataset) else "")

    def reading_options(self, dataset: str) -> dict[str, Any]:
        """Settings of a data set's reader: its plug-in's defaults and what the config says instead."""
        return registry.peek("datasets", dataset).get("OPTIONS", {}) | self.dataset_options.get(dataset, {})

    def feature_options(self, dataset: str) -> dict[str, dict[str, Any]]:
        """The sections of ``features`` that a data set's recipes read, by family (the recipe's name up to its first _)."""
        families = {m.features.split("_")[0] for m in dataset_info(dataset).modalities} | {"quality"}
        return {name: getattr(self.features, name).model_dump() for name in sorted(families & set(Features.model_fields))}

    def targets_of(self, dataset: str) -> tuple[str, ...]:
        """Targets predicted on a data set."""
        return tuple(self.targets.get(dataset, dataset_info(dataset).default_targets))


def dataset_info(dataset: str) -> DatasetInfo:
    """Facts of a data set, read without importing its plug-in."""
    info = registry.peek("datasets", dataset)["INFO"]
    return replace(info, per_token=False) if registry.is_rated(dataset) else info


ANY = "*"


def lacking(kind: str, item: str, config: Config) -> str:
    """What a figure or table requires (its REQUIRES: section of the config -> name, or * for any) and this run does
    not contain; empty if nothing."""
    wanted = registry.peek(kind, item).get("REQUIRES", {})
    return ", ".join(
        section if name == ANY else name
        for section, name in wanted.items()
        if (not getattr(config, section) if name == ANY else name not in getattr(config, section))
    )


def load(raw: dict[str, Any]) -> Config:
    """Check a mapping as read by Snakemake.

    Raises
    ------
    HimoeError
        One line: path of the key, what is wrong, the nearest valid name.
    """
    try:
        config = Config.model_validate(_with_ablations(raw))
    except ValidationError as error:
        raise HimoeError("config: " + "; ".join(_explain(e) for e in error.errors())) from error
    for kind, names in (
        ("datasets", config.datasets), ("models", config.models), ("perturb", list(config.conditions)),
        ("figures", config.figures), ("tables", config.tables), ("datasets", list(config.targets)),
        ("models", list(config.model_options)), ("datasets", list(config.editions)), ("datasets", list(config.annotator_lag)),
        ("datasets", list(config.dataset_options)),
    ):  # fmt: skip
        for name in names:
            registry.check(kind, name)
        if len(set(names)) != len(names):
            raise HimoeError(f"config: {kind}: a name appears twice in {names}")
    _check_names("protocols", config.protocols, PROTOCOLS)
    for key in ("protocols", "seeds"):
        if len(set(getattr(config, key))) != len(getattr(config, key)):
            raise HimoeError(f"config: {key}: a value appears twice in {getattr(config, key)}")
    for dataset in config.datasets:
        if not registry.is_planted(dataset):
            if registry.ABLATION in dataset or registry.is_rated(dataset):
                raise HimoeError(f"config: datasets: {dataset}: only planted data sets have such names, as in planted-NAME")
            continue
        name, _, replicate = dataset.partition(registry.ABLATION)[2].partition(".")
        _check_names(f"datasets: {dataset}: planted", [name], list(config.planted))
        if "." in dataset and not (replicate.isdigit() and replicate == str(int(replicate))):
            raise HimoeError(f"config: datasets: {dataset}: a replicate is a number, as in planted-{name}.0")
        if dataset in config.targets or dataset in config.annotator_lag:
            raise HimoeError(
                f"config: targets and annotator_lag say nothing of {dataset}: it has both targets and no annotator"
            )
        _check_names(f"planted.{name}.models", config.planted[name].models, config.models)
        _check_names(f"planted.{name}.informative", list(config.planted[name].informative), _modalities(dataset))
    if len({registry.is_synthetic(d) for d in config.datasets}) > 1:
        raise HimoeError("config: datasets: real and simulated data sets in one run would share figures; use two config files")
    for key in ("targets", "editions", "annotator_lag", "dataset_options"):
        if strange := [d for d in getattr(config, key) if d not in config.datasets]:
            raise HimoeError(f"config: {key}: '{strange[0]}' is not in datasets; name it as there, twins with {registry.TWIN}")
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
    for model in (m for m in config.models if registry.is_ablation(m)):
        plugin, _, ablation = model.partition(registry.ABLATION)
        _check_names("models", [plugin], [ABLATED])
        _check_names("models: ablation", [ablation], list(config.ablations))
    if config.ablations and ABLATED not in config.models:
        raise HimoeError(f"config: ablations: they are compared with {ABLATED}, which is not in models")
    for ablation, options in config.ablations.items():
        _check_names(f"ablations.{ablation}", list(options), registry.peek("models", ABLATED)["config_fields"])
    for model, options in config.model_options.items():
        _check_names(f"model_options.{model}", list(options), registry.peek("models", model)["config_fields"])
    for dataset, targets in config.targets.items():
        _check_names(f"targets.{dataset}", targets, dataset_info(dataset).targets)
    return config


def _modalities(dataset: str) -> list[str]:
    return [m.name for m in dataset_info(dataset).modalities]


def _with_ablations(raw: dict[str, Any]) -> dict[str, Any]:
    """Every ablation is a model of the run."""
    names, models = raw.get("ablations"), raw.get("models", Config().models)
    if not (isinstance(names, dict) and isinstance(models, list)):
        return raw
    own = [f"{ABLATED}{registry.ABLATION}{name}" for name in names]
    return raw | {"models": [*models, *(m for m in own if m not in models)]}


ABLATED = "himoe"
PROTOCOLS = ("loso", "subject_kfold")


def n_folds(protocol: str, n_subjects: int, splits: Splits) -> int:
    """Number of folds, known before any data is read."""
    return n_subjects if protocol == "loso" else min(splits.n_folds, n_subjects)


def _check_names(where: str, names: list[str], valid: Any) -> None:
    for name in names:
        if name not in valid:
            near = difflib.get_close_matches(name, valid, n=1)
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise HimoeError(f"config: {where}: there is no '{name}'; {hint}valid names: {', '.join(valid) or 'none'}")


def _explain(error: Any) -> str:
    path = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        return f"{path}: {error['msg']} (got {str(error['input'])[:60]!r})"
    section: Any = Config
    for part in error["loc"][:-1]:
        section = section.model_fields[part].annotation
    valid = list(section.model_fields)
    near = difflib.get_close_matches(str(error["loc"][-1]), valid, n=1)
    return f"{path}: unknown key; " + (f"did you mean '{near[0]}'?" if near else f"valid keys: {', '.join(valid)}")
