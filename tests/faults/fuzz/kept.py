"""Files of a run that later rules, or a later run, read: genuine ones, and when what comes out of a changed one makes sense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from himoe import io
from himoe.data import recordings, tokens
from himoe.types import HimoeError, Tokens, Trial
from tests.conftest import ROOT, make_tokens
from tests.faults.fuzz.reader import Mutations, Reader


def wrong_tokens(tokens: Tokens) -> str:
    """What is wrong with tokens that nothing vouches for."""
    kinds = {name: getattr(tokens, name).dtype for name in ("x", "mask", "time", "y", "offsets")}
    expected = {"x": "f", "mask": "b", "time": "f", "y": "f", "offsets": "i"}
    if odd := [name for name, kind in expected.items() if kinds[name].kind != kind]:
        return f"{odd[0]} holds {kinds[odd[0]]}"
    if not all(isinstance(text, str) for t in tokens.trials for text in vars(t).values()):
        return "a trial's name is no text"
    if not all(isinstance(n, str) for names in (tokens.layout.modalities, *tokens.layout.features) for n in names):
        return "a feature's name is no text"
    rate = tokens.layout.token_rate
    return "" if isinstance(rate, (int, float)) and not isinstance(rate, bool) and 0 < rate < 1e6 else f"{rate} tokens a second"


def write_seal(path: Path) -> None:
    """As a sealed file has beside it."""
    path.with_name(f"{path.name}.sha256").write_text(f"{io._sha256(path)}  {path.name}\n")


def sealed(reader: Reader) -> Reader:
    """The same file with its seal."""

    def write(root: Path) -> None:
        reader.write(root)
        write_seal(root / reader.file)

    return Reader(reader.file, write, reader.read, reader.mutations, reader.wrong, True)


def write_tokens(root: Path) -> None:
    """One subject's tokens."""
    tokens.write_tokens(root / "s.npz", make_tokens(1, 2, 6))
    (root / "s.npz.sha256").unlink()


def write_splits(root: Path) -> None:
    """A split file of two folds."""
    from himoe.config.sections import Splits
    from himoe.splits.make import make_splits

    io.write_table(root / "splits.csv", make_splits("subject_kfold", list(make_tokens(4, 2, 4).trials), Splits(n_folds=2)))


def wrong_splits(splits: list[Any]) -> str:
    """What is wrong with folds that nothing vouches for."""
    for split in splits:
        parts = [set(part) for part in (split.train, split.valid, split.test)]
        if not all(parts) or sum(map(len, parts)) != len(set.union(*parts)):
            return f"fold {split.fold}: parts that are empty or share trials"
    return "" if splits and len({s.fold for s in splits}) == len(splits) else "no folds"


def write_fit(root: Path) -> None:
    """Weights and record of two folds."""
    from himoe.train.results import FittedFold, write_shard
    from himoe.train.scaling import Scaler

    rng = np.random.default_rng(0)
    scaler = Scaler(*(rng.standard_normal(n) for n in (3, 3, 2, 2, 3)))
    folds = [FittedFold(i, scaler, {"w": rng.standard_normal((3, 2))}, read=["a" * 64, "b" * 64]) for i in range(2)]
    write_shard(root / "w.safetensors", root / "run.json", folds, {"model": "ridge", "seed": 0})
    (root / "run.json.sha256").unlink()


def read_fit(root: Path) -> Any:
    """Both, as they are predicted from."""
    from himoe.train.results import read_shard

    return read_shard(root / "w.safetensors", root / "run.json")


def wrong_fit(folds: dict[int, Any]) -> str:
    """What is wrong with stored folds that nothing vouches for."""
    for fold in folds.values():
        if not isinstance(fold.read, list) or not all(isinstance(d, str) for d in fold.read):
            return "its list of what was read is none"
        if not isinstance(fold.failed, str) or not isinstance(fold.chosen, dict):
            return f"failed {fold.failed!r}, chosen {fold.chosen!r}"
    return "" if folds else "no folds"


def predictions() -> Any:
    """A table of predictions of three people."""
    import pandas as pd

    same = {"dataset": "d", "protocol": "loso", "model": "ridge", "seed": 0, "fold": 0, "condition": "clean", "severity": 0.0}
    values = {"target": "valence", "y_true": 1.0, "y_pred": 0.5, "y_raw": 0.4, "y_reference": 0.2}
    moments = [{"perturbed": "x", "subject": f"s{i}", "trial": "t", "time": float(k)} for i in range(3) for k in range(4)]
    return pd.DataFrame([same | moment | values for moment in moments])


def wrong_recordings(trials: list[Trial]) -> str:
    """What is wrong with one subject's trials."""
    return "" if len(trials) == 2 else f"{len(trials)} trials"


def write_recordings(root: Path) -> None:
    """Two trials, cleaned."""
    from himoe.types import Signal

    rng, names = np.random.default_rng(0), ("a", "b")
    trials = [
        Trial("s", "1", n, n, 8.0, {"gsr": Signal(rng.standard_normal((1, 8)), 1.0)}, np.ones((3, 2)), np.arange(3.0))
        for n in names
    ]
    recordings.write_trials(root / "s.safetensors", trials)


def write_resume(root: Path) -> None:
    """The state of a fit that was interrupted."""
    import torch

    from himoe.train.checkpoint import Checkpoint

    kept = Checkpoint(root / ".resume", "key", 1.0)
    kept.state.stack_size, kept.state.current = 2, {"w": torch.arange(6.0)}
    kept.write()


def read_resume(root: Path) -> Any:
    """The same again; HimoeError where the fit would start anew."""
    from himoe.train.checkpoint import Checkpoint

    kept = Checkpoint(root / ".resume", "key", 1.0)
    if not kept.load():
        raise HimoeError("the fit starts from the beginning")
    return kept.state


def write_config(root: Path) -> None:
    """The quick run's."""
    text = (ROOT / "config/quick.yaml").read_text()
    (root / "c.yaml").write_text(text)


def read_config(root: Path) -> Any:
    """Settings as the workflow completes them, read as YAML's own reader reads the file."""
    import yaml

    from himoe.config.files import read_file
    from himoe.config.load import load_config

    raw = read_file(root / "c.yaml")
    config = load_config(raw).model_dump(mode="json")
    assert raw == (yaml.safe_load((root / "c.yaml").read_text(encoding="utf-8-sig")) or {}), "another reading than YAML's own"
    assert load_config(json.loads(json.dumps(config))) is not None
    return config


def table(file: str, mutations: Mutations) -> Reader:
    """A table of predictions or scores."""
    return Reader(
        file, lambda root: io.write_table(root / file, predictions()), lambda root: io.read_table(root / file), mutations
    )


def read_split_file(root: Path) -> Any:
    """Its folds."""
    from himoe.splits.files import read_splits

    return read_splits(root / "splits.csv")
