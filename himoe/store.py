"""What stands on disk between the rules: splits, tokens by subject, fitted shards (safetensors and a run record that vouches
for them by SHA-256)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from himoe import io
from himoe.fold import Fitted, Scaler, Stored
from himoe.provenance import hash_file
from himoe.recordings import read_trials
from himoe.types import HimoeError, Split, Tokens
from himoe.views import View

PARTS = ("train", "valid", "test")
SPLIT_COLUMNS = ["fold", "part", "subject", "trial", "stimulus", "digest"]
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


def read_splits(path: str) -> list[Split]:
    """Every fold of a split file."""
    try:
        frame = pd.read_csv(path, dtype=dict.fromkeys(SPLIT_COLUMNS[1:], str))[SPLIT_COLUMNS]
        known = set(frame["part"]) <= set(PARTS)
        groups = {
            (int(fold), part): {(r.subject, r.trial): r.digest for r in rows.itertuples()}
            for (fold, part), rows in frame.groupby(["fold", "part"])
        }
        stimuli = {(r.subject, r.trial): r.stimulus for r in frame.itertuples()}
    except (OSError, ValueError, KeyError) as error:
        raise HimoeError(f"{path}: not a split file ({error})") from error
    folds = sorted({fold for fold, _ in groups})
    if not known or any((fold, part) not in groups for fold in folds for part in PARTS):
        raise HimoeError(f"{path}: every fold needs train, valid and test rows and nothing else")
    return [Split(fold, *(groups[fold, part] for part in PARTS), stimuli) for fold in folds]


def shard(splits: list[Split], number: int, folds_per_job: int | str) -> list[Split]:
    """The folds of one job; shards are numbered from 0."""
    if folds_per_job == "all":
        return splits
    return splits[number * int(folds_per_job) : (number + 1) * int(folds_per_job)]


class Reader:
    """Tokens of subjects as a view has them, each file read once; refuses a subject that a fold must not see."""

    def __init__(self, files: list[Path], view: View | None = None, recordings: list[Path] = ()):
        self.paths: dict[str, Path] = {f.stem: f for f in files}
        self.recordings: dict[str, Path] = {f.stem: f for f in recordings}
        self.view, self.kept = view or View(), {}

    def load(self, subjects: set[str], forbidden: set[str] = frozenset()) -> Tokens:
        """Tokens of these subjects, in the order of their names."""
        if wrong := subjects & forbidden:
            raise HimoeError(f"leakage: a fit asked for test subject {sorted(wrong)[0]}")
        for subject in subjects - set(self.kept):
            trials = read_trials(self.recordings[subject]) if self.view.samples else None
            self.kept[subject] = self.view.prepare(io.read_tokens(self.paths[subject]), trials)
        return Tokens.concatenate([self.kept[s] for s in sorted(subjects)])
