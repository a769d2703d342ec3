"""Every key of a run: type, default, meaning and where the choice comes from.

``paper`` = the abstract of arXiv 2508.02133, ``cited:<work>`` = a work it rests on, ``ours`` = a decision of this
replication (printed in the report's decision register). ``python -m himoe.config`` writes schema and key table.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from himoe import registry
from himoe.types import DatasetInfo, HimoeError, Size

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """A section whose unknown keys are errors and whose values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def setting(default: Any, description: str, source: str, **limits: Any) -> Any:
    """A field with its meaning and the source of its default."""
    factory = {"default_factory": lambda: default} if isinstance(default, (list, dict)) else {"default": default}
    return Field(**factory, description=description, json_schema_extra={"source": source}, **limits)


class Twin(Strict):
    """Size and strength of the simulated twins (``<data set>_twin``)."""

    subjects: Count = setting(10, "subjects simulated (at most the original's)", "ours", ge=6)
    trials: Count = setting(14, "trials per subject (at most the original's)", "ours", ge=2)
    seconds: Positive = setting(32.0, "length of a trial, s", "ours", ge=8)
    snr: float = setting(
        0.3, "variance of the planted log-envelope over that of the spontaneous one; 0 plants nothing", "ours", ge=0
    )
    seed: int = setting(2508, "seed of the simulation", "ours", ge=0)


class Splits(Strict):
    """Who is trained on and who is judged."""

    n_folds: Count = setting(8, "folds of subject_kfold (leave-one-subject-out where there are fewer)", "ours", ge=2)
    validation_fraction: Fraction = setting(
        0.25, "share of the training subjects held out to choose the epoch and to tune (at least one)", "ours"
    )
    seed: int = setting(0, "seed of the assignment of subjects to folds", "ours", ge=0)


class Training(Strict):
    """The one trainer, equal for every torch model."""

    epochs: Count = setting(60, "passes over the training data at most", "ours")
    patience: Count = setting(12, "epochs without a better inner-validation loss before stopping", "ours")
    batch_size: Count = setting(32, "crops per step", "ours")
    learning_rate: Positive = setting(5e-4, "peak of AdamW's cosine schedule", "ours")
    weight_decay: float = setting(1e-2, "AdamW's decoupled weight decay", "cited:AdamW (Loshchilov & Hutter 2019)", ge=0)
    clip_norm: Positive = setting(1.0, "largest gradient norm", "ours")
    crop_seconds: Positive = setting(30.0, "length of a training crop and of a prediction segment, s", "ours")
    ccc_weight: float = setting(0.5, "weight of 1 - CCC over the batch beside the squared error", "ours", ge=0)
    modality_dropout: Fraction = setting(0.3, "chance that a modality is absent from a training crop", "ours")
    gap_chance: Fraction = setting(0.3, "chance of an outage of a modality within a training crop", "ours")
    gap_seconds: Positive = setting(5.0, "mean length of such an outage, s (exponential)", "ours")
    token_dropout: Fraction = setting(0.5, "highest rate of tokens dropped at random, drawn per training crop", "ours")
    shift_chance: Fraction = setting(0.5, "chance that a modality of a training crop is shifted in time", "ours")
    shift_seconds: float = setting(4.0, "largest such shift, s (uniform, either way)", "ours", ge=0)
    folds_per_job: Count | Literal["all"] = setting("all", "folds fitted in one job (a shard)", "ours")
    threads: Count = setting(1, "threads of one fit; two 1-thread fits beat one 2-thread fit on two cores", "ours")


class Statistics(Strict):
    """How the comparison is judged, fixed before a run."""

    n_bootstrap: Count = setting(10_000, "bootstrap replicates over subjects", "ours")
    alpha: Fraction = setting(0.05, "level of intervals and of Holm-corrected tests", "ours")
    seed: int = setting(0, "seed of the bootstrap", "ours", ge=0)


class Config(Strict):
    """A run."""

    data_root: str = setting("data", "folder that holds one folder per real data set", "ours", min_length=1)
    datasets: list[Name] = setting(
        ["deap_twin", "dreamer_twin"], "data sets; <name>_twin is simulated in the format of <name>", "ours", min_length=1
    )
    targets: dict[Name, list[Name]] = setting({}, "data set -> targets, where not the default ones", "ours")
    allow_missing_subjects: bool = setting(False, "go on when files of a subject are absent", "ours")
    protocols: list[Name] = setting(["subject_kfold"], "how subjects are split", "ours", min_length=1)
    models: list[Name] = setting(
        ["train_mean", "stimulus_mean", "ridge", "late_fusion", "himoe"], "models compared", "ours", min_length=1
    )
    model_options: dict[Name, dict[str, Any]] = setting({}, "model -> its own settings, where not the default", "ours")
    seeds: list[int] = setting([0], "seeds of initialisation and of the order of training", "ours", min_length=1)
    conditions: dict[Name, list[float]] = setting(
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
        ["claims", "main", "comparison", "robustness", "reported", "data_card", "compute_card", "register"],
        "tables of the report, in order",
        "ours",
        min_length=1,
    )
    twin: Twin = setting(Twin(), "the simulated twins", "ours")
    splits: Splits = setting(Splits(), "folds", "ours")
    training: Training = setting(Training(), "the trainer", "ours")
    statistics: Statistics = setting(Statistics(), "the comparison", "ours")
    title: str = setting("Hi-MoE replication", "title of the report", "ours", min_length=1, max_length=120)

    def options(self, model: str) -> dict[str, Any]:
        """A model's own settings."""
        return dict(self.model_options.get(model, {}))

    def size(self, dataset: str) -> Size:
        """Subjects, trials and seconds to expect in a data set."""
        info = dataset_info(dataset)
        if not registry.is_twin(dataset):
            return Size(info.subjects, info.n_trials, info.seconds)
        subjects = info.subjects[: self.twin.subjects]
        trials = min(self.twin.trials, info.n_trials or self.twin.trials)
        return Size(subjects, trials, min(self.twin.seconds, info.seconds or self.twin.seconds))

    def targets_of(self, dataset: str) -> tuple[str, ...]:
        """Targets predicted on a data set."""
        return tuple(self.targets.get(dataset, dataset_info(dataset).default_targets))


def dataset_info(dataset: str) -> DatasetInfo:
    """Facts of a data set, read without importing its plug-in."""
    return registry.peek("datasets", dataset)["INFO"]


def load(raw: dict[str, Any]) -> Config:
    """Check a mapping as read by Snakemake.

    Raises
    ------
    HimoeError
        One line: path of the key, what is wrong, the nearest valid name.
    """
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        raise HimoeError("config: " + "; ".join(_explain(e) for e in error.errors())) from error
    for kind, names in (
        ("datasets", config.datasets), ("models", config.models), ("perturb", list(config.conditions)),
        ("figures", config.figures), ("tables", config.tables), ("datasets", list(config.targets)),
        ("models", list(config.model_options)),
    ):  # fmt: skip
        for name in names:
            registry.check(kind, name)
        if len(set(names)) != len(names):
            raise HimoeError(f"config: {kind}: a name appears twice in {names}")
    _check_names("protocols", config.protocols, PROTOCOLS)
    for model, options in config.model_options.items():
        _check_names(f"model_options.{model}", list(options), registry.peek("models", model)["config_fields"])
    for dataset, targets in config.targets.items():
        _check_names(f"targets.{dataset}", targets, dataset_info(dataset).targets)
    return config


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


def walk(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any, str, str]]:
    """(dotted key, value, description, source) of every setting of a section."""
    for name, spec in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from walk(value, f"{prefix}{name}.")
        else:
            source = (spec.json_schema_extra or {}).get("source", "ours")  # type: ignore[union-attr]
            yield f"{prefix}{name}", value, spec.description or "", source


def schema() -> dict[str, Any]:
    """JSON schema of a config file."""
    return Config.model_json_schema() | {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def key_table() -> str:
    """Markdown table of every key."""
    rows = ["| key | default | meaning | source |", "|---|---|---|---|"]
    for key, value, description, source in walk(Config()):
        shown = re.sub(r"[\[\]']", "", str(value)) if isinstance(value, list) else str(value)
        rows.append(f"| `{key}` | {shown} | {description} | {source} |")
    return "\n".join(rows)


def main(root: Path = Path("config")) -> None:
    """Write config/schema.json and the key table of config/README.md."""
    import json

    from himoe.io import write_text

    write_text(root / "schema.json", json.dumps(schema(), indent=1, sort_keys=True) + "\n")
    readme = (root / "README.md").read_text(encoding="utf-8")
    head, rest = readme.split("<!-- keys -->\n", 1)
    tail = rest.split("<!-- /keys -->", 1)[1]
    write_text(root / "README.md", f"{head}<!-- keys -->\n{key_table()}\n<!-- /keys -->{tail}")


if __name__ == "__main__":
    main()
