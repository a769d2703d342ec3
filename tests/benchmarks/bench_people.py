"""Leave-one-subject-out of the estimators on full-size DEAP against its pass lines (G13): the whole job, from files to files,
and beside it the former path, on which every fold scaled and laid out a copy of its own; and what more people cost."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from himoe import registry
from himoe.config.sections import Training
from himoe.data.memory import bytes_of
from himoe.data.rows import to_rows
from himoe.data.tokens import write_tokens
from himoe.provenance import environment
from himoe.splits.files import SPLIT_COLUMNS
from himoe.splits.guards import select
from himoe.stats.calibration import calibrate
from himoe.train.row_bank import RowBank
from himoe.train.scaling import Scaler
from himoe.types import Split, Tokens
from tests.benchmarks.bench_training import deap_layout, epoch_seconds, made
from tests.benchmarks.cost import Cost, measured
from tests.conftest import ROOT

LINES = {"train_mean": 6.0, "ridge": 15.0}  # s, of 32 folds
FIT = """
import sys
from pathlib import Path
from himoe.config.sections import Execution, Training
from himoe.config.spec import FitSpec
from himoe.train.shard import fit_shard
model, root, n = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
fit = {"dataset": "deap", "protocol": "loso", "model": model, "seed": 0, "shard": 0, "view": {"baseline": "estimated"}}
spec = FitSpec(**fit, folds=tuple(range(n)), training=Training(refit=True))
fit_shard(spec, Execution(threads=1), sorted(root.glob("s*.npz")), root / "splits.csv", root / "weights", root / "run.json")
"""


def deap(n_subjects: int) -> Tokens:
    """Noise in DEAP's layout, 40 trials of 120 tokens a person, with baselines."""
    tokens = made(deap_layout(), n_subjects, 40, 120)
    level = np.random.default_rng(1).standard_normal((len(tokens.trials), tokens.layout.n_features), np.float32)
    return replace(tokens, baseline=level)


def loso(tokens: Tokens) -> list[Split]:
    """Every person left out; of the others each fourth one, of eight at most, is of inner validation."""
    by_person: dict[str, dict] = {}
    for t in tokens.trials:
        by_person.setdefault(t.subject, {})[t.subject, t.trial] = t.digest
    out = []
    for fold, (name, test) in enumerate(by_person.items()):
        others = [keys for other, keys in by_person.items() if other != name]
        valid, train = ({k: d for keys in part for k, d in keys.items()} for part in (others[::4][:8], others))
        out.append(Split(fold, {k: d for k, d in train.items() if k not in valid}, valid, test))
    return out


def written(folder: Path, tokens: Tokens) -> None:
    """Files of every person, and the splits."""
    for name in {t.subject for t in tokens.trials}:
        at = [i for i, t in enumerate(tokens.trials) if t.subject == name]
        write_tokens(folder / f"{name}.npz", tokens.select(at))
    rows = [
        (split.fold, part, subject, trial, trial, digest)
        for split in loso(tokens)
        for part in ("train", "valid", "test")
        for (subject, trial), digest in getattr(split, part).items()
    ]
    pd.DataFrame(rows, columns=SPLIT_COLUMNS).to_csv(folder / "splits.csv", index=False)


def job(model: str, folder: Path, n_folds: int) -> Cost:
    """What the whole process of a fit costs."""
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
    with measured() as cost:
        command = [sys.executable, "-c", FIT, model, str(folder), str(n_folds)]
        subprocess.run(command, cwd=ROOT, env=os.environ | one, check=True, capture_output=True)
    return cost


def former(tokens: Tokens, split: Split, model: str) -> None:
    """A fold as it was fitted: its own copy is scaled and laid out, of training, validation and both."""
    plugin = registry.load("models", model)
    train, valid, both = (select(tokens, keys) for keys in (split.train, split.valid, split.train | split.valid))
    scaler = Scaler.fit(train)
    state, rows = plugin.fit(to_rows(scaler.transform(train)), plugin.Config(), 0), to_rows(scaler.transform(valid))
    calibrate(rows.y, plugin.predict(state, rows), rows.subject)
    plugin.fit(to_rows(Scaler.fit(both).transform(both)), plugin.Config(), 0)


def of_bank(bank: RowBank, split: Split, model: str) -> None:
    """The same fold of rows that are laid out once."""
    plugin = registry.load("models", model)
    train, valid, both = (bank.part(split, keys, "loso") for keys in (split.train, split.valid, split.train | split.valid))
    scaler = train.scaler()
    state, rows = plugin.fit(train.rows(scaler), plugin.Config(), 0), valid.rows(scaler)
    calibrate(rows.y, plugin.predict(state, rows), rows.subject)
    plugin.fit(both.rows(both.scaler()), plugin.Config(), 0)


@pytest.mark.parametrize("model", LINES)
def test_g13_leave_one_subject_out_of_deap(model, tmp_path):
    tokens, spent = deap(32), {"former": [], "bank": []}
    written(tmp_path, tokens)
    splits = loso(tokens)
    with threadpool_limits(1):
        bank = RowBank(tokens)
        for split in splits[:3]:
            for name, fold, data in (("former", former, tokens), ("bank", of_bank, bank)):
                started = time.process_time()
                fold(data, split, model)
                spent[name].append(time.process_time() - started)
    once, each = (statistics.median(spent[name]) for name in ("former", "bank"))
    cost = min((job(model, tmp_path, 32) for _ in range(3)), key=lambda c: c.cpu)
    print(f"\n{environment()}, {os.cpu_count()} cores")
    print(f"G13 {model}, 32 folds: {cost.wall:.1f} s, {cost.cpu:.1f} CPU-s, peak {cost.peak:.0f} MB (line {LINES[model]:g} s)")
    print(f"   a fold {1e3 * each:.0f} ms of CPU, formerly {1e3 * once:.0f}: {once / each:.0f}x")
    assert cost.cpu <= LINES[model]
    assert once / each >= 5


def test_what_more_people_cost():
    """All folds of 8, 32 and 128 people: laying out is linear in people, and so is a fold, of which there are as many."""
    print(f"\n{environment()}, {os.cpu_count()} cores")
    print("people | laid out s | bank MB | fold of train_mean, ridge ms | all folds of ridge s")
    rows = []
    for n in (8, 32, 128):
        tokens = deap(n)
        with threadpool_limits(1):
            started = time.process_time()
            bank = RowBank(tokens)
            laid, each = time.process_time() - started, []
            for model in LINES:
                started = time.process_time()
                for split in loso(tokens)[:2]:
                    of_bank(bank, split, model)
                each.append((time.process_time() - started) / 2)
            rows.append((n, laid, *each))
        size, spent = f"{bytes_of(tokens) / 2**20:.0f}", ", ".join(f"{1e3 * s:.0f}" for s in each)
        print(f"{n:6} | {laid:.2f} | {size} | {spent} | {laid + n * each[1]:.0f}")
    (_, laid_32, _, fold_32), (_, laid_128, _, fold_128) = rows[1:]
    assert laid_128 / laid_32 <= 5
    assert fold_128 / fold_32 <= 6


def test_a_step_of_a_network_does_not_depend_on_people():
    """A narrow late fusion on crops of a trial's length, batches of 32: an epoch has steps by the number of people."""
    settings, options = Training(epochs=10, crop_seconds=60, shift_seconds=1), {"width": 16, "match_parameters": False}
    print(f"\n{environment()}, {os.cpu_count()} cores\npeople | bank MB, bytes a token | steps an epoch | ms of CPU a step")
    steps_ms = {}
    for n in (8, 32, 128):
        tokens = deap(n)
        split = loso(tokens)[0]
        n_steps = -(-(len(split.train) + len(split.valid)) // settings.batch_size)
        each = [epoch_seconds(tokens, [split], "late_fusion", 1, settings, options)[0] / n_steps for _ in range(2)]
        size, steps_ms[n] = bytes_of(tokens), 1e3 * min(each)
        print(f"{n:6} | {size / 2**20:.0f}, {size / len(tokens.x):.0f} | {n_steps} | {steps_ms[n]:.1f}", flush=True)
    assert max(steps_ms.values()) <= 1.25 * min(steps_ms.values())
