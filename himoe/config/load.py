"""A mapping as Snakemake reads it, checked and completed."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from himoe.config.checks import check
from himoe.config.errors import explain
from himoe.config.run import Config
from himoe.config.sections import LearningCurve
from himoe.names import STUDIED, dataset_variant, model_variant
from himoe.types import HimoeError

MOVED = {  # key of an earlier version -> where it stands now
    f"training.{key}": f"execution.{key}"
    for key in ("threads", "device", "stack", "capture", "checkpoint_seconds", "tensorboard", "folds_per_job")
} | {"features.quality.baseline_correction": "features.baseline"}
NAMED = re.compile("[a-z0-9_]+")  # what an ablation, or a regime, may be called
GONE = {
    "statistics.n_bootstrap": "intervals are calculated, no longer resampled; leave it out",
    "feature_sets": "write variants: {NAME: {DATA SET: {modalities: [...]}}}",
}


def load_config(raw: dict[str, Any]) -> Config:
    """Check a mapping as read by Snakemake.

    Raises
    ------
    HimoeError
        One line: path of the key, what is wrong, the nearest valid name.
    """
    if not isinstance(raw, dict):
        raise HimoeError(f"config: expected keys with values, as in `seeds: [0]`, got {type(raw).__name__}")
    if moved := [key for key in MOVED if _has(raw, key)]:
        raise HimoeError("config: " + "; ".join(f"{key}: moved; write {MOVED[key]}" for key in moved))
    if gone := [key for key in GONE if _has(raw, key)]:
        raise HimoeError("config: " + "; ".join(f"{key}: {GONE[key]}" for key in gone))
    completed = _with_dataset_variants(_with_model_variants(raw))
    try:
        config = Config.model_validate(completed)
    except ValidationError as error:
        raise HimoeError(f"config: {explain(error, Config, completed)}") from error
    check(config)
    return config


def _has(raw: dict[str, Any], key: str) -> bool:
    """Whether a config sets a key, or one of a section, as in ``training.threads``."""
    section, _, name = key.partition(".")
    return section in raw and (not name or (isinstance(raw[section], dict) and _has(raw[section], name)))


def _with_model_variants(raw: dict[str, Any]) -> dict[str, Any]:
    """Ablations, networks under a regime, models under a control and those of fewer people are models of the run."""
    models = Config().models if raw.get("models") is None else raw["models"]
    named = {key: section if isinstance(section := raw.get(key), dict) else {} for key in ("ablations", "regimes", "controls")}
    trained = {name: of.get("models", [STUDIED]) for name, of in named["regimes"].items() if isinstance(of, dict)}
    variants = [model_variant(STUDIED, name) for name in named["ablations"] if NAMED.fullmatch(str(name))]  # others are refused
    for name, of in [*((n, of) for n, of in trained.items() if NAMED.fullmatch(str(n))), *named["controls"].items()]:
        variants += [model_variant(m, name) for m in of] if isinstance(of, list) else []
    variants += _of_learning_curve(raw.get("learning_curve"))
    if not (isinstance(models, list) and variants):
        return raw
    return raw | {"models": [*models, *dict.fromkeys(m for m in variants if m not in models)]}


def _of_learning_curve(section: Any) -> list[str]:
    """Models that learn from fewer people, where these can be read."""
    try:
        return LearningCurve.model_validate(section or {}).arms
    except ValidationError:
        return []


def _with_dataset_variants(raw: dict[str, Any]) -> dict[str, Any]:
    """The variants of a run's data sets are data sets of the run; one of another can be named there alone."""
    datasets, variants = raw.get("datasets"), raw.get("variants")
    datasets = Config().datasets if datasets is None else datasets
    if not (isinstance(datasets, list) and isinstance(variants, dict)):
        return raw
    of = [(name, dataset) for name, parts in variants.items() if isinstance(parts, dict) for dataset in parts]
    added = [dataset_variant(dataset, name) for name, dataset in of if dataset in datasets]
    return raw | {"datasets": [*datasets, *(d for d in added if d not in datasets)]}
