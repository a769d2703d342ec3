"""What a fit leaves behind: weights and scalers of its folds, and a run record that vouches for them by SHA-256."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from himoe import io
from himoe.provenance import hash_file
from himoe.train.scaling import Arrays, Scaler
from himoe.types import HimoeError


@dataclass
class Fitted:
    """One fold's result: arrays to store and what happened. ``read``, ``judged``: digests of the trials it touched and of those
    it was judged on; ``failed`` says why there is no prediction; ``chosen``: settings that tuning changed; ``tried``: changes,
    validation CCC and best epoch of every configuration."""

    fold: int
    scaler: Scaler
    state: Arrays
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    n_parameters: int = 0
    n_macs: int = 0
    seconds: float = 0.0
    read: list[str] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)
    failed: str = ""
    chosen: dict[str, Any] = field(default_factory=dict)
    tried: list[dict[str, Any]] = field(default_factory=list)


class Stored(NamedTuple):
    """One fold as read back: scaler, arrays, digests of the trials the fit has read, why it failed (empty if it did not), what
    tuning changed."""

    scaler: Scaler
    state: Arrays
    read: list[str]
    failed: str = ""
    chosen: dict[str, Any] | None = None


SCALER = ("mean", "scale", "y_mean", "y_scale")


def write_shard(weights: Path, record: Path, folds: list[Fitted], facts: dict[str, Any]) -> None:
    """Weights and scalers of every fold, then the run record that vouches for them."""
    from safetensors.numpy import save_file

    arrays = {}
    for f in folds:
        arrays |= {f"{f.fold}/state/{name}": np.ascontiguousarray(value) for name, value in f.state.items()}
        arrays |= {f"{f.fold}/scaler/{name}": np.ascontiguousarray(getattr(f.scaler, name)) for name in SCALER}
    with io.atomic(weights) as temporary:
        save_file(arrays, temporary)
    folds_out = {
        str(f.fold): {
            "best_epoch": f.best_epoch, "seconds": round(f.seconds, 3), "n_parameters": f.n_parameters,
            "n_macs": f.n_macs,
            "history": f.history, "read": f.read, "judged": f.judged, "failed": f.failed, "chosen": f.chosen, "tried": f.tried,
        }
        for f in folds
    }  # fmt: skip
    io.write_json(record, facts | {"weights_sha256": hash_file(weights), "folds": folds_out})


def read_shard(weights: Path, record: Path) -> dict[int, Stored]:
    """Every fold; HimoeError if the weights are not those of the record."""
    from safetensors.numpy import load_file

    facts = io.read_json(record)
    if hash_file(weights) != facts["weights_sha256"]:
        raise HimoeError(f"{weights}: bytes differ from the fit's record; delete {weights.parent} and run again")
    arrays = load_file(weights)
    out = {}
    for fold, told in facts["folds"].items():
        own = {name.removeprefix(f"{fold}/"): a for name, a in arrays.items() if name.startswith(f"{fold}/")}
        scaler = Scaler(*(own[f"scaler/{name}"] for name in SCALER))
        state = {name.removeprefix("state/"): a for name, a in own.items() if name.startswith("state/")}
        out[int(fold)] = Stored(scaler, state, told["read"], told["failed"], told["chosen"])
    return out
