"""A mapping as Snakemake reads it, checked and completed."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from himoe.config.checks import check
from himoe.config.errors import explain
from himoe.config.run import Config
from himoe.names import STUDIED, feature_set, model_variant
from himoe.types import HimoeError

MOVED = {  # key of an earlier version -> where it stands now
    f"training.{key}": f"execution.{key}"
    for key in ("threads", "device", "stack", "compile", "checkpoint_seconds", "tensorboard", "folds_per_job")
} | {"features.quality.baseline_correction": "features.baseline"}
GONE = {"statistics.n_bootstrap": "intervals are calculated, no longer resampled; leave it out"}


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
    completed = _with_feature_sets(_with_variants(raw))
    try:
        config = Config.model_validate(completed)
    except ValidationError as error:
        raise HimoeError(f"config: {explain(error, Config, completed)}") from error
    check(config)
    return config


def _has(raw: dict[str, Any], key: str) -> bool:
    """Whether a config sets a key of a section, as in ``training.threads``."""
    section, _, name = key.partition(".")
    below = raw.get(section)
    return isinstance(below, dict) and (_has(below, name) if "." in name else name in below)


def _with_variants(raw: dict[str, Any]) -> dict[str, Any]:
    """Ablations and models under a control are models of the run."""
    models, ablations, controls = (raw.get(key) for key in ("models", "ablations", "controls"))
    models = Config().models if models is None else models
    named = ablations if isinstance(ablations, dict) else {}
    variants = [model_variant(STUDIED, name) for name in named if re.fullmatch(r"[a-z0-9_]+", str(name))]  # others are refused
    if isinstance(controls, dict):
        variants += [model_variant(m, name) for name, of in controls.items() if isinstance(of, list) for m in of]
    if not (isinstance(models, list) and variants):
        return raw
    return raw | {"models": [*models, *(m for m in variants if m not in models)]}


def _with_feature_sets(raw: dict[str, Any]) -> dict[str, Any]:
    """The feature sets of a run's data sets are data sets of the run; one of another can be named there alone."""
    datasets, sets = raw.get("datasets"), raw.get("feature_sets")
    datasets = Config().datasets if datasets is None else datasets
    if not (isinstance(datasets, list) and isinstance(sets, dict)):
        return raw
    of = [(name, dataset) for name, parts in sets.items() if isinstance(parts, dict) for dataset in parts]
    added = [feature_set(dataset, name) for name, dataset in of if dataset in datasets]
    return raw | {"datasets": [*datasets, *(d for d in added if d not in datasets)]}
