"""The files that figures and tables are made from, read when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from himoe import io, registry
from himoe.config.claims import DESIGN, design
from himoe.config.protocols import PROTOCOLS, lacks_seeds
from himoe.config.run import Config
from himoe.evaluate.ceilings import stimuli_of
from himoe.evaluate.score import read_scores
from himoe.names import STUDIED, parse_dataset, parse_setting, setting
from himoe.provenance import hash_value
from himoe.report.titles import dataset_of, named
from himoe.splits.files import read_splits
from himoe.stats.frames import pick
from himoe.stats.levels import CLEAN

if TYPE_CHECKING:
    import pandas as pd

    from himoe.types import Split


def read_runs(files: list[str], config: Config) -> list[dict[str, Any]]:
    """Run records; HimoeError if one is of a fit with other settings than this run's, which no report may pass off as its own:
    where Snakemake looks at times alone, or results were copied, it does not make such a fit again."""
    runs = [io.read_json(file) for file in files]
    for file, run in zip(files, runs, strict=True):
        if "shard" in run:
            spec = config.fit_spec(*(run[name] for name in ("dataset", "protocol", "model", "seed", "shard")))
            spec.check_record(file, run)
    return runs


@dataclass(frozen=True, eq=False)  # itself alone, so that what is made of it can be kept
class Evidence:
    """The files an item needs, read when asked for."""

    files: dict[str, list[str]]
    config: Config

    @classmethod
    def of(cls, inputs: Any, config: dict[str, Any]) -> Evidence:
        """From a rule's named inputs and the config as it stands in its parameters."""
        files = {name: [paths] if isinstance(paths, str) else list(paths) for name, paths in inputs.items()}
        return cls(files, Config(**config))

    @property
    def settings(self) -> list[str]:
        """What a result is of: each data set under each protocol, named by the data set alone where there is one protocol."""
        return [self.setting(d, p) for d in self.config.datasets for p in self.config.protocols]

    @property
    def judged(self) -> list[str]:
        """Settings from which findings and verdicts are drawn: people are kept apart, and recordings are prepared as the run
        says. Tables list the others, too; what changes under other choices is the figure ``specification``."""
        apart = [s for s in self.settings if PROTOCOLS[self.protocol_of(s)].independent]
        return [s for s in apart if not self.config.variant(dataset_of(s)).is_other_choice]

    @property
    def leading(self) -> list[str]:
        """One setting per data set: as configured, whole, the first replicate, under the first protocol that keeps people apart
        (else the first): what items look at that would repeat themselves over protocols."""
        protocol = next((p for p in self.config.protocols if PROTOCOLS[p].independent), self.config.protocols[0])
        whole = [d for d in self.config.datasets if not registry.is_variant(d)]
        first = {parse_dataset(d).without_replicate: d for d in reversed(whole)}
        return [self.setting(d, protocol) for d in whole if d in first.values()]

    def setting(self, dataset: str, protocol: str) -> str:
        """``deap_twin``, or ``deap_twin/loso`` in a run of several protocols."""
        return setting(dataset, protocol, len(self.config.protocols) > 1)

    def targets_of(self, setting: str) -> tuple[str, ...]:
        """Targets predicted in a setting."""
        return self.config.targets_of(dataset_of(setting))

    def _keyed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """With the column ``dataset`` replaced by ``setting``, so that no item can mix protocols."""
        names = [self.setting(d, p) for d, p in zip(frame["dataset"], frame["protocol"], strict=True)]
        return frame.drop(columns=["dataset", "protocol"]).assign(setting=names)

    @property
    def models(self) -> list[str]:
        """Models that compete, each at its place; ablations and controls are not among them."""
        return sorted(self.config.compared, key=registry.place)

    @property
    def controls(self) -> list[str]:
        """Models under a control: fitted to data that hold nothing to find."""
        return self.config.under_control

    def models_of(self, setting: str) -> list[str]:
        """Models fitted in a setting."""
        return self.config.models_of(dataset_of(setting), self.protocol_of(setting))

    def perturbed(self, condition: str) -> list[str]:
        """Settings in which a condition was evaluated."""
        return [s for s in self.settings if condition in self.config.conditions_of(dataset_of(s), self.protocol_of(s))]

    def protocol_of(self, setting: str) -> str:
        """The protocol of a setting."""
        return parse_setting(setting)[1] or self.config.protocols[0]

    def has_few_seeds(self, setting: str) -> bool:
        """Whether intervals of a setting hold too little of the luck of training to tell who is ahead."""
        return lacks_seeds(self.protocol_of(setting), len(self.config.seeds))

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Tidy scores by setting, of the models that compete."""
        return self.all_scores[self.all_scores["model"].isin(self.models)]

    @cached_property
    def all_scores(self) -> pd.DataFrame:
        """Tidy scores by setting, ablations among them."""
        return self._keyed(read_scores(self.files["scores"][0]))

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Predictions of every fit on clean input; those under conditions, most of them, are no item's evidence."""
        return self._parquet("predictions", filters=[("condition", "==", CLEAN)])

    @cached_property
    def across(self) -> pd.DataFrame:
        """Predictions of fits tested on another data set (``tested_on``)."""
        return self._parquet("across")

    @cached_property
    def routing(self) -> pd.DataFrame:
        """Routing of every fit that routes."""
        return self._parquet("routing")

    def routed(self, conditions: list[str], quantities: list[str], model: str = STUDIED) -> pd.DataFrame:
        """Routing of one model (of all: empty) under some conditions, some quantities of it. What is read is what is asked for:
        all of a large grid are millions of rows."""
        of_model = {"model": model} if model else {}
        if "routing" in self.__dict__:  # it was read as a whole
            return pick(self.routing, condition=conditions, quantity=quantities, **of_model)
        # one by one: "in" fails on the empty columns of a model that routes nothing
        asked = [of_model | {"condition": c, "quantity": q} for c in conditions for q in quantities]
        filters = [[(name, "==", value) for name, value in one.items()] for one in asked]
        return self._parquet("routing", filters=filters or [("model", "==", "")])

    @cached_property
    def stimuli(self) -> dict[str, pd.DataFrame]:
        """``subject``, ``trial`` and ``stimulus`` of every trial, by setting."""
        return dict(zip(self.settings, map(stimuli_of, self.files["splits"]), strict=True))

    @cached_property
    def folds(self) -> dict[str, list[Split]]:
        """Every fold, by setting."""
        return dict(zip(self.settings, map(read_splits, self.files["splits"]), strict=True))

    def _parquet(self, name: str, **options: Any) -> pd.DataFrame:
        import pandas as pd

        parts = [io.read_table(file, **options) for file in self.files[name]]
        return self._keyed(pd.concat([p for p in parts if len(p)] or parts[:1], ignore_index=True))

    @cached_property
    def runs(self) -> list[dict[str, Any]]:
        """Run records."""
        runs = read_runs(self.files["runs"], self.config)
        return [run | {"setting": self.setting(run["dataset"], run["protocol"])} for run in runs]

    @cached_property
    def failed(self) -> dict[tuple[str, str], list[str]]:
        """(setting, model) -> its folds that diverged, as ``seed 0 fold 3``; only those that have one."""
        failed: dict[tuple[str, str], list[str]] = {}
        for run in self.runs:
            folds = [f"seed {run['seed']} fold {number}" for number, fold in run["folds"].items() if fold["failed"]]
            if folds:
                failed.setdefault((run["setting"], run["model"]), []).extend(folds)
        return failed

    def changed_since(self, name: str, entry: dict[str, Any]) -> str:
        """A note, where a claim or study (``name`` of its file) is not as it stood when some fit of this run began; else
        empty."""
        seals = [run["sealed"] for run in self.runs if run.get("sealed")]
        if len(seals) < len(self.runs):
            return f"not sealed: {len(self.runs) - len(seals)} fits do not say what was claimed when they began"
        other = sorted(seal["date"] for seal in seals if seal.get(name, {}).get(entry["id"]) != hash_value(entry))
        return f"changed after results existed (first fit: {other[0]})" if other else ""

    def redesigned_since(self) -> list[str]:
        """Settings of the design that some fit of this run has sealed otherwise: models added, severities changed."""
        now = design(self.config)
        sealed = [run["sealed"].get("design", {}) for run in self.runs if run.get("sealed")]
        return [name for name in DESIGN if any(then.get(name) != now[name] for then in sealed if name in then or not then)]

    def deleted_since(self, name: str, entries: list[dict[str, Any]]) -> list[str]:
        """Ids of claims or studies that some fit of this run has sealed and that its file no longer holds."""
        sealed = {i for run in self.runs for i in (run.get("sealed") or {}).get(name, {})}
        return sorted(sealed - {entry["id"] for entry in entries})

    @cached_property
    def cards(self) -> list[dict[str, Any]]:
        """Data cards."""
        return [io.read_json(file) for file in self.files["cards"]]

    @cached_property
    def audits(self) -> list[dict[str, Any]]:
        """Model-info sheets."""
        return [io.read_json(file) for file in self.files["audits"]]

    @cached_property
    def truths(self) -> dict[str, dict[str, Any]]:
        """What was planted, by data set."""
        return {truth["dataset"]: truth for truth in map(io.read_json, self.files["truths"])}

    def yaml(self, name: str) -> Any:
        """A hand-written YAML file."""
        import yaml

        return yaml.safe_load(Path(self.files[name][0]).read_text(encoding="utf-8"))

    @property
    def synthetic(self) -> bool:
        """Whether any of the run's data are simulated."""
        return any(registry.is_synthetic(d) for d in self.config.datasets)

    def facts(self) -> str:
        """How many subjects, seeds and which protocol, for captions."""
        sizes = []
        for title, names in named(self.config.datasets).items():
            sizes.append(f"{title}: up to {len(self.config.size(names[0]).subjects)} subjects")
        return f"{'; '.join(sizes)}; {len(self.config.seeds)} seed(s); protocol {', '.join(self.config.protocols)}."
