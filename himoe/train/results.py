"""What a fit leaves behind: weights and scalers of its folds (safetensors), and a run record with their SHA-256."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from himoe import io
from himoe.provenance import hash_file
from himoe.train.scaling import Arrays, Scaler
from himoe.types import HimoeError

SCALER = ("mean", "scale", "y_mean", "y_scale", "baseline")


@dataclass
class FittedFold:
    """One fold's result: arrays to store and what happened.

    ``read`` and ``judged`` are the digests of the trials that it touched and of those that it was judged on, ``failed``
    says why there is no prediction, ``chosen`` holds the settings that tuning changed, ``tried`` the changes, validation
    CCC and best epoch of every configuration, ``calibration`` the scale and offset of its predictions; empty: none;
    ``trial_ms`` is the milliseconds to predict one trial that it has read, ``network_share`` how much of the prediction is the
    network's, beside a linear read-out; None without one.
    """

    fold: int
    scaler: Scaler
    state: Arrays
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    n_parameters: int = 0
    n_macs: int = 0
    trial_ms: float = 0.0
    seconds: float = 0.0
    read: list[str] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)
    failed: str = ""
    chosen: dict[str, Any] = field(default_factory=dict)
    tried: list[dict[str, Any]] = field(default_factory=list)
    calibration: Arrays = field(default_factory=dict)
    network_share: float | None = None

    def record(self) -> dict[str, Any]:
        """All but the arrays, for the run record."""
        facts = {name: value for name, value in vars(self).items() if name not in ("fold", "scaler", "state")}
        calibration = {name: array.tolist() for name, array in self.calibration.items()}
        return facts | {"seconds": round(self.seconds, 3), "calibration": calibration}


class StoredFold(NamedTuple):
    """One fold as read back: scaler, arrays, digests of the trials that the fit has read, why it failed (empty if it did not),
    what tuning changed, scale and offset of its predictions (empty: none)."""

    scaler: Scaler
    state: Arrays
    read: list[str]
    failed: str = ""
    chosen: dict[str, Any] | None = None
    calibration: Arrays | None = None


def write_shard(weights: Path, record: Path, folds: list[FittedFold], facts: dict[str, Any]) -> None:
    """Weights and scalers of every fold, then the run record with their hash."""
    arrays: Arrays = {}
    for f in folds:
        for part in ("state", "calibration"):
            arrays |= {f"{f.fold}/{part}/{name}": np.ascontiguousarray(a) for name, a in getattr(f, part).items()}
        arrays |= {f"{f.fold}/scaler/{name}": np.ascontiguousarray(getattr(f.scaler, name)) for name in SCALER}
    io.write_arrays(weights, arrays)
    by_fold = {str(f.fold): f.record() for f in folds}
    io.write_json(record, facts | {"weights_sha256": hash_file(weights), "folds": by_fold}, sealed=True)


def read_shard(weights: Path, record: Path) -> dict[int, StoredFold]:
    """Every fold; HimoeError if the weights are not those of the record."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    facts = io.read_json(record)
    io.check(weights)
    try:
        if hash_file(weights) != facts["weights_sha256"]:
            raise HimoeError(f"{weights}: bytes differ from the fit's record; delete {weights.parent} and run again")
        arrays = load_file(weights)
        return {int(fold): _stored(fold, arrays, facts["folds"][fold]) for fold in facts["folds"]}
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise HimoeError(f"{record}: no record of these weights ({error!r}); delete {weights.parent} and run again") from error


def _stored(fold: str, arrays: Arrays, facts: dict[str, Any]) -> StoredFold:
    """One fold of a shard's arrays."""
    of_fold = {name.removeprefix(f"{fold}/"): a for name, a in arrays.items() if name.startswith(f"{fold}/")}
    scaler = Scaler(*(of_fold[f"scaler/{name}"] for name in SCALER))
    state, calibration = (
        {name.removeprefix(part): a for name, a in of_fold.items() if name.startswith(part)}
        for part in ("state/", "calibration/")
    )
    read, failed, chosen = (facts[name] for name in ("read", "failed", "chosen"))
    if not (isinstance(read, list) and set(map(type, read)) <= {str} and isinstance(failed, str) and isinstance(chosen, dict)):
        raise ValueError(f"fold {fold}: it does not say what was read, why it failed and what was chosen")
    return StoredFold(scaler, state, read, failed, chosen, calibration)
