"""Every key of a run: type, default, meaning and where the choice comes from.

``paper`` = the abstract of arXiv 2508.02133, ``cited:<work>`` = a work it rests on, ``ours`` = a decision of this
replication (printed in the report's decision register). ``python -m himoe.config.document`` writes schema and key table.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from himoe import registry
from himoe.config.facts import dataset_info, facts_of_tokens, modality_of, samples_of
from himoe.config.fields import SEEDS, Label, Name, Seed, Strict, Text, setting
from himoe.config.protocols import PROTOCOLS, n_folds
from himoe.config.regimes import Regime, trained
from himoe.config.sections import (
    FIGURES,
    TABLES,
    Execution,
    Features,
    LearningCurve,
    Planted,
    Splits,
    Statistics,
    Training,
    Tuning,
    Twin,
    Variant,
    merged,
)
from himoe.config.severities import severities_on
from himoe.config.spec import FitSpec, View
from himoe.names import STUDIED, parse_dataset, parse_model, people_of
from himoe.names import setting as setting_of
from himoe.types import Size


class Config(Strict):
    """A run."""

    data_root: Text = setting("data", "folder that holds one folder per real data set", "ours", min_length=1)
    datasets: list[Name] = setting(
        ["deap_twin", "dreamer_twin"], "data sets; <name>_twin is simulated in the format of <name>", "ours", min_length=1
    )
    variants: dict[Label, Annotated[dict[Name, Variant], Field(min_length=1)]] = setting(
        {},
        "NAME -> data set -> what is prepared otherwise: the data set DATASET-NAME is run too and reported beside it",
        "ours",
    )
    transfer: dict[Name, Annotated[list[Name], Field(min_length=1)]] = setting(
        {}, "data set -> others on whose people its fits are tested too (table transfer)", "ours"
    )
    targets: dict[Name, Annotated[list[Name], Field(min_length=1)]] = setting(
        {}, "data set -> targets, where not the default ones", "ours"
    )
    editions: dict[Name, Name] = setting(
        {}, "data set -> which of its editions to read (deap: python, matlab, raw); else the most complete one", "ours"
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
    models_on: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+(/[a-z_]+)?$")], list[Name]] = setting(
        {}, "DATASET or DATASET/PROTOCOL -> models fitted there, where not all of the run", "ours"
    )
    model_options: dict[Name, dict[str, Any]] = setting({}, "model -> its own settings, where not the default", "ours")
    ablations: dict[Label, Annotated[dict[str, Any], Field(min_length=1)]] = setting(
        {}, "NAME -> settings of Hi-MoE: the model himoe-NAME is fitted too and compared with himoe", "ours; rows: the claims"
    )
    regimes: dict[Label, Regime] = setting(
        {}, "NAME -> networks, and augmentations that differ: MODEL-NAME is fitted too and compared with MODEL", "ours"
    )
    learning_curve: LearningCurve = setting(LearningCurve(), "models that learn from fewer people", "ours")
    controls: dict[Name, Annotated[list[Name], Field(min_length=1)]] = setting(
        {}, "control -> models fitted again on the data it changes: MODEL-CONTROL must show no skill and is not compared",
        "ours",
    )  # fmt: skip
    seeds: list[Seed] = setting([0], "seeds of initialisation and of the order of training", "ours", min_length=1)
    conditions: dict[Name, Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=1)]] = setting(
        {"missing_rate": [0.0, 0.1, 0.3, 0.5, 0.7], "shift": [0.0, 0.5, 1.0, 2.0, 4.0]},
        "perturbation -> severities evaluated at test time",
        "paper (incomplete and asynchronous inputs); grid ours",
    )
    ablations_under: list[Name] | None = setting(None, "conditions ablations are predicted under; null: all of the run", "ours")
    condition_seed: Seed = setting(7, "seed of masks, shifts and rated trials, shared by all models", "ours", lt=SEEDS)
    few_shot: list[Annotated[int, Field(ge=0)]] = setting(
        [], "numbers of a new person's trials by whose ratings predictions are shifted and scaled (figure few_shot)", "ours"
    )
    figures: list[Name] = setting(FIGURES, "figures of the report, in order; condition_curve is one for each condition", "ours")
    tables: list[Name] = setting(TABLES, "tables of the report, in order", "ours", min_length=1)
    features: Features = setting(Features(), "features per token", "ours")
    planted: dict[Label, Planted] = setting(
        {}, "NAME -> settings of the data sets planted-NAME and planted_rated-NAME; planted-NAME.3 is a replicate", "ours"
    )
    twin: Twin = setting(Twin(), "the simulated twins", "ours")
    splits: Splits = setting(Splits(), "folds", "ours")
    training: Training = setting(Training(), "the trainer", "ours")
    execution: Execution = setting(Execution(), "how fits are executed; only folds_per_job refits", "ours")
    tuning: Tuning = setting(Tuning(), "the search for each model's configuration", "ours")
    statistics: Statistics = setting(Statistics(), "the comparison", "ours")
    title: Text = setting("Hi-MoE replication", "title of the report", "ours", min_length=1, max_length=120)
    compare: str = setting(
        "", "results.json of an earlier run, to be set beside this one in the report", "ours", max_length=4096
    )

    def options(self, model: str) -> dict[str, Any]:
        """A model's settings where they are not its defaults; an ablation adds some to those of its model."""
        plugin, ablation = parse_model(model)
        options = self.model_options.get(plugin, {}) | self.ablations.get(ablation, {})
        return dict(sorted(options.items()))  # the order in which a config lists them is no other fit

    @property
    def compared(self) -> list[str]:
        """Models that compete; ablations are compared with the one they are of, controls with nothing."""
        return [m for m in self.models if not parse_model(m).variant]

    @property
    def rivals(self) -> list[str]:
        """Models that Hi-MoE is compared with and that could be used on a new stimulus; the others are references."""
        return [m for m in self.compared if m != STUDIED and not registry.is_reference(m)]

    @property
    def under_control(self) -> list[str]:
        """Models whose data a control changes."""
        return [m for m in self.models if registry.control_of(m)]

    def kind_of(self, model: str) -> str:
        """What a model is in this run: ``control``, ``fewer people``, ``regime``, ``ablation``, or ``compared``: itself."""
        if registry.control_of(model) or people_of(model):
            return "control" if registry.control_of(model) else "fewer people"
        if parse_model(model).variant in self.regimes:
            return "regime"
        return "ablation" if registry.is_ablation(model) else "compared"

    @property
    def recordings(self) -> list[str]:
        """Data sets that were recorded, not simulated."""
        return [d for d in self.prepared if not registry.is_synthetic(d)]

    @property
    def prepared(self) -> list[str]:
        """Data sets whose recordings the run reads: in place of variants those that they are of."""
        return list(dict.fromkeys(registry.recorded_as(d) for d in self.datasets))

    def shard_sizes(self, dataset: str, protocol: str) -> list[int]:
        """Folds of each shard; together they are all folds."""
        n = n_folds(protocol, len(self.size(dataset).subjects), self.splits)
        per_job = n if self.execution.folds_per_job == "all" else self.execution.folds_per_job
        return [min(per_job, n - first) for first in range(0, n, per_job)]

    def fit_spec(self, dataset: str, protocol: str, model: str, seed: int, shard: int) -> FitSpec:
        """What one fit is."""
        sizes = self.shard_sizes(dataset, protocol)
        first, view = sum(sizes[:shard]), self.view(dataset, protocol, model)
        reference = registry.peek("models", model).get("REFERENCE")
        training = trained(self.training, self.regimes, model, view.window, self.size(dataset).seconds)
        return FitSpec(
            dataset=dataset, protocol=protocol, model=model, seed=seed, shard=shard,
            folds=tuple(range(first, first + sizes[shard])), options=self.options(model),
            reference=self.options(reference) if reference else {}, training=training, tuning=self.tuning, view=view,
        )  # fmt: skip

    def view(self, dataset: str, protocol: str, model: str) -> View:
        """What of the tokens a model is given."""
        return View(
            modality=modality_of(model, dataset), samples=samples_of(model, dataset), control=registry.control_of(model),
            window=self.window_of(protocol), baseline=0 if registry.is_planted(dataset) else self.features_of(dataset).baseline,
        )  # fmt: skip

    def planted_of(self, dataset: str) -> Planted:
        """Settings of a planted data set; a replicate has a seed of its own."""
        name = parse_dataset(dataset)
        settings = self.planted[name.variant]
        return settings.model_copy(update={"seed": settings.seed + int(name.replicate or 0)})

    def models_of(self, dataset: str, protocol: str) -> list[str]:
        """Models fitted on a data set under a protocol: those that find there what they read, and may be judged so."""
        planted = registry.is_planted(dataset)
        asked = (self.planted_of(dataset).models if planted else []) or self.models
        return [m for m in asked if not self.unfit(m, dataset, protocol)]

    def is_left_out(self, model: str, dataset: str, protocol: str) -> bool:
        """Whether ``models_on`` leaves a model out: by the data set under this protocol, else by the data set."""
        keys = [key for key in (setting_of(dataset, protocol, True), dataset) if key in self.models_on]
        return bool(keys) and model not in self.models_on[keys[0]]

    def conditions_of(self, dataset: str, protocol: str, model: str = STUDIED) -> dict[str, list[float]]:
        """Conditions under which a model is evaluated, with the severities that they have on the data set. None for windows,
        which are too short to be perturbed, nor under a control or of fewer people, which are judged on clean input alone."""
        if PROTOCOLS[protocol].windows or self.kind_of(model) in ("control", "fewer people"):
            return {}
        lists = [self.planted_of(dataset).conditions if registry.is_planted(dataset) else None]
        lists += [self.ablations_under] if self.kind_of(model) == "ablation" else []
        named = {n: severities for n, severities in self.conditions.items() if all(of is None or n in of for of in lists)}
        have = self.modalities_of(dataset)
        return {name: kept for name, severities in named.items() if (kept := severities_on(have, name, severities))}

    def unfit(self, model: str, dataset: str, protocol: str) -> str:
        """Why a model is not fitted on a data set under a protocol; empty if it is."""
        facts = registry.peek("models", model)
        if "MODALITY" in facts and modality_of(model, dataset) not in self.modalities_of(dataset):
            return f"it reads {'samples of ' if facts.get('RAW') else ''}{facts['MODALITY']}, which this data set does not have"
        if facts.get("KNOWS_SUBJECTS") and PROTOCOLS[protocol].independent:
            return "it knows the people it is judged on"
        if people_of(model) and not PROTOCOLS[protocol].independent:
            return "a learning curve over people needs people that are kept apart"
        return "models_on leaves it out" if self.is_left_out(model, dataset, protocol) else ""

    def size(self, dataset: str) -> Size:
        """Subjects, trials and seconds to expect in a data set."""
        info = dataset_info(dataset)
        if registry.is_planted(dataset):
            planted = self.planted_of(dataset)
            return Size(info.subjects[: planted.subjects], planted.trials, planted.seconds)
        if not registry.is_twin(dataset):
            return Size(info.subjects, info.n_trials, info.seconds)
        subjects = info.subjects[: self.twin.subjects]
        trials = min(self.twin.trials, info.n_trials or self.twin.trials)
        return Size(subjects, trials, min(self.twin.seconds, info.seconds or self.twin.seconds))

    def trials_used(self, dataset: str) -> int | None:
        """Trials of each subject that tokens hold; None where they differ. Planted data need no calibration."""
        n = self.size(dataset).n_trials
        return n if n is None or registry.is_planted(dataset) else n - self.features_of(dataset).calibration_trials

    def edition(self, dataset: str) -> str:
        """The edition asked for; of a twin, the one it is written in; empty where the first one found will do."""
        names = [e.name for e in dataset_info(dataset).editions]
        return self.editions.get(dataset, names[0] if registry.is_twin(dataset) else "")

    def reading_options(self, dataset: str) -> dict[str, Any]:
        """Settings of a data set's reader: its plug-in's defaults and what the config says instead."""
        return registry.peek("datasets", dataset).get("OPTIONS", {}) | self.dataset_options.get(dataset, {})

    def variant(self, dataset: str) -> Variant:
        """What is prepared otherwise in a variant; in every other data set nothing is."""
        found = self.variants[parse_dataset(dataset).variant] if registry.is_variant(dataset) else {}
        return found.get(registry.recorded_as(dataset), Variant())

    def features_of(self, dataset: str) -> Features:
        """``features`` of the run, with what a variant says instead."""
        changed = self.variant(dataset).features
        return Features.model_validate(merged(self.features.model_dump(), changed)) if changed else self.features

    def feature_options(self, dataset: str) -> dict[str, dict[str, Any]]:
        """The sections of ``features`` that a data set's recipes read, by family (the recipe's name up to its first _)."""
        there = self.modalities_of(dataset)
        families = {m.features.split("_")[0] for m in dataset_info(dataset).modalities if m.name in there} | {"quality"}
        features = self.features_of(dataset)
        sections = {n: getattr(features, n).model_dump() for n in sorted(families & set(Features.model_fields))}
        return sections | {"normalise": {"by": features.normalisation, "trials": features.calibration_trials}}

    def preparation_of(self, dataset: str) -> dict[str, Any]:
        """How tokens are made of a data set's recordings."""
        chosen: dict[str, Any] = {"targets": self.targets_of(dataset), "modalities": self.modalities_of(dataset)}
        other = self.variant(dataset).common_with
        chosen |= {"common_with": other, "facts": facts_of_tokens(other)} if other else {}
        return chosen | {"options": self.feature_options(dataset), "lag": self.annotator_lag_of(dataset)}

    def normalisation_of(self, dataset: str) -> str:
        """Over what each feature of a data set is z-scored."""
        return self.features_of(dataset).normalisation

    def annotator_lag_of(self, dataset: str) -> float:
        """Reaction time of a data set's annotators, s."""
        lag = self.variant(dataset).annotator_lag
        return self.annotator_lag.get(registry.recorded_as(dataset), 0.0) if lag is None else lag

    def split_settings(self, protocol: str) -> dict[str, Any]:
        """What of the settings of splits a protocol depends on."""
        windows = PROTOCOLS[protocol].windows
        return self.splits.model_dump(mode="json", exclude=set() if windows else {"window_seconds"})

    def window_of(self, protocol: str) -> float:
        """Length of the windows that are split in the place of trials, s; 0 where trials are."""
        return self.splits.window_seconds if PROTOCOLS[protocol].windows else 0.0

    def targets_of(self, dataset: str) -> tuple[str, ...]:
        """Targets predicted on a data set."""
        return tuple(self.targets.get(registry.recorded_as(dataset), dataset_info(dataset).default_targets))

    def modalities_of(self, dataset: str) -> tuple[str, ...]:
        """Modalities that a data set's tokens hold, in the order of its plug-in."""
        chosen, other = self.variant(dataset).modalities, self.variant(dataset).common_with
        shared = {m.name for m in dataset_info(other or dataset).modalities}
        return tuple(m.name for m in dataset_info(dataset).modalities if m.name in shared and (not chosen or m.name in chosen))
