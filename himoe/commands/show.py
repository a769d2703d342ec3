"""``python -m himoe show RUN --subject s01 --trial 3``: one trial that was predicted, as a picture. No model is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from himoe import io, registry
from himoe.commands import picture
from himoe.commands.place import check_place
from himoe.config.facts import dataset_info
from himoe.config.spec import FitSpec
from himoe.data.recordings import read_trials
from himoe.data.tokens import read_tokens
from himoe.data.views import narrow, prepare
from himoe.evaluate.outages import SHARE
from himoe.library.fits import shards_of, spec_of
from himoe.library.inference import NULL
from himoe.names import CLEAN, trial_of
from himoe.types import HimoeError, Tokens, Trial


def report(run: Path, subject: str, trial: str, out: Path | None) -> int:
    """Draw a trial of a fit's test people; the exit status."""
    path = check_place(out or f"{subject}-{trial}.png", run)
    shards = shards_of(run)
    spec, data = spec_of(shards[0]), shards[0].parents[3]
    tokens = _tokens(data, spec, subject)
    at = position([t.trial for t in tokens.trials], trial, subject)
    picture.draw(path, [_shown(shards, spec, data, tokens.select([at]))])
    print(path)
    return 0


def position(names: Sequence[str], wanted: str, subject: str) -> int:
    """Where a trial stands among a person's: by its name, else by its number from 1."""
    if wanted in names:
        return list(names).index(wanted)
    if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    raise HimoeError(f"{subject} has no trial '{wanted}'; trials: 1 to {len(names)}, or {', '.join(names[:20])}")


def _tokens(data: Path, spec: FitSpec, subject: str) -> Tokens:
    """What the model was given of a person: features, whatever it reads."""
    file = data / "subjects" / f"{subject}.npz"
    if not file.is_file():
        known = sorted(path.stem for path in file.parent.glob("*.npz"))
        raise HimoeError(f"{data}: there is no subject '{subject}'; subjects: {', '.join(known) or 'none is prepared'}")
    view = spec.view.model_copy(update={"samples": 0})
    return narrow(view, prepare(view, read_tokens(file)))


def _shown(shards: Sequence[Path], spec: FitSpec, data: Path, tokens: Tokens) -> picture.Shown:
    """One trial with what was predicted and found of it."""
    [info], layout = tokens.trials, tokens.layout
    of = [("subject", "==", info.subject), ("trial", "==", info.trial), ("condition", "==", CLEAN)]
    said, routing = (
        pd.concat([io.read_table(shard / f"{name}.parquet", filters=of) for shard in shards])
        for name in ("predictions", "routing")
    )
    if said.empty:
        raise HimoeError(f"{shards[0]}: nothing is predicted of {info.subject} {info.trial}; it is in no test part of this fit")
    by_target = {target: said[said["target"] == target] for target in layout.targets}
    known = dataset_info(spec.dataset)
    return picture.Shown(
        title=f"{spec.model} on {spec.dataset} · {info.subject} · {info.trial}", traces=_traces(data, spec, tokens),
        time=tokens.time, present=tokens.mask, target_range=known.target_range, synthetic=registry.is_synthetic(spec.dataset),
        predicted={t: (rows["time"].to_numpy(), rows["y_pred"].to_numpy()) for t, rows in by_target.items()},
        rated={t: (rows["time"].to_numpy(), rows["y_true"].to_numpy()) for t, rows in by_target.items()},
        lags=_parts(routing, "lag", layout.modalities), shares=_parts(routing, SHARE, (*layout.modalities, NULL)),
    )  # fmt: skip


def _parts(routing: pd.DataFrame, quantity: str, names: Sequence[str]) -> dict[str, float]:
    """A quantity of routing by name; empty where the model tells none."""
    values = routing[routing["quantity"] == quantity].set_index("part")["value"]
    return {name: float(values[str(i)]) for i, name in enumerate(names)} if len(values) == len(names) else {}


def _traces(data: Path, spec: FitSpec, tokens: Tokens) -> dict[str, picture.Trace]:
    """The cleaned signals of a trial where they are there, else the mean of each modality's features."""
    [info] = tokens.trials
    file = data.parent / registry.recorded_as(spec.dataset) / "subjects" / f"{info.subject}.safetensors"
    found = [t for t in read_trials(file, verify=False) if _is(t, info.session, info.trial)] if file.is_file() else []
    if found:
        return picture.traces_of(found[0], tokens.layout.modalities)
    return {name: (tokens.time, tokens.x[:, at].mean(1).astype(np.float64)) for name, at in tokens.layout.slices.items()}


def _is(trial: Trial, session: str, name: str) -> bool:
    return (trial.session, trial.trial) == (session, trial_of(name))
