"""Fitted shards on disk: safetensors with their SHA-256 in the run record beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from himoe import io
from himoe.provenance import hash_file
from himoe.training import Fitted, Scaler
from himoe.types import HimoeError

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
            "history": f.history, "read": f.read,
        }
        for f in folds
    }  # fmt: skip
    io.write_json(record, facts | {"weights_sha256": hash_file(weights), "folds": folds_out})


def read_shard(weights: Path, record: Path) -> dict[int, tuple[Scaler, dict[str, np.ndarray], list[str]]]:
    """fold -> (scaler, arrays, digests read); HimoeError if the weights are not those of the record."""
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
        out[int(fold)] = (scaler, state, told["read"])
    return out
