"""The training engine against its pass lines (G4, G5, G7), and G5 on a GPU where there is one (marked gpu).

``make bench`` on a CPU; on a machine with a GPU ``make bench-gpu``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from himoe.config.facts import dataset_info
from himoe.config.sections import Execution, Training
from himoe.config.spec import FitSpec
from himoe.data.prepare import layout_of
from himoe.nn import noise
from himoe.provenance import environment
from himoe.train import devices
from himoe.train.networks import NetworkFits
from himoe.train.progress import Progress
from himoe.train.step import INPUT
from himoe.train.together import StackFit
from himoe.train.windows import Affine, Windows, crops, training_batch
from himoe.types import Layout, Split, Tokens, TrialInfo
from tests.benchmarks.sides import peer
from tests.conftest import ROOT

FEW = Layout(
    ("a", "b", "c", "d"), tuple(tuple(f"{m}{i}" for i in range(8)) for m in "abcd"), ("valence", "arousal"), 2.0, False
)


def deap_layout() -> Layout:
    info = dataset_info("deap")
    return layout_of(info, info.default_targets)


def made(layout: Layout, n_subjects: int, n_trials: int, n_times: int, seed: int = 0) -> Tokens:
    """Tokens of noise in this layout: what is measured does not depend on their values."""
    rng, n = np.random.default_rng(seed), n_subjects * n_trials
    trials = tuple(
        TrialInfo(f"s{i // n_trials:02d}", "1", f"t{i % n_trials}", f"t{i % n_trials}", f"{i:064x}") for i in range(n)
    )
    x = rng.standard_normal((n * n_times, layout.n_features), np.float32)
    mask = rng.random((n * n_times, len(layout.modalities))) < 0.95
    y = np.repeat(rng.standard_normal((n, len(layout.targets))), n_times, axis=0).astype(np.float32)
    time_ = np.tile(np.arange(n_times) / layout.token_rate, n).astype(np.float32)
    x[~np.repeat(mask, [len(f) for f in layout.features], axis=1)] = 0
    return Tokens(x, mask, time_, y, np.arange(0, n * n_times + 1, n_times), trials, layout)


def leave_one_out(tokens: Tokens) -> list[Split]:
    subjects = sorted({t.subject for t in tokens.trials})

    def keys(own):
        return {(t.subject, t.trial): t.digest for t in tokens.trials if t.subject in own}

    return [
        Split(k, keys({*subjects} - {s, subjects[k - 1]}), keys({subjects[k - 1]}), keys({s})) for k, s in enumerate(subjects)
    ]


def fits_of(tokens: Tokens, model: str, settings: Training, execution: Execution, **options) -> NetworkFits:
    def load(subjects, forbidden):
        return tokens.select([i for i, t in enumerate(tokens.trials) if t.subject in subjects])

    spec = FitSpec(dataset="d", protocol="loso", model=model, seed=0, shard=0, folds=(), options=options, training=settings)
    return NetworkFits(spec, execution, devices.settle(settings, execution), load, Progress(model, 1, settings.epochs))


def epoch_seconds(
    tokens, splits, model, stack, settings, options, n_epochs=1, clock=time.process_time, device="cpu", threads=1
):  # fmt: skip
    """Seconds of ``n_epochs`` epochs of every fold, ``stack`` of them side by side, validation and set-up left out."""
    execution, spent, weights = Execution(device=device, threads=threads), 0.0, []
    fits = fits_of(tokens, model, settings, execution, **options)
    for at in range(0, len(splits), stack):
        together = StackFit(fits, splits[at : at + stack])
        runs = [together.fold_run(s, n_epochs=n_epochs) for s in together.splits]
        _synchronise()
        started = clock()
        together.trainers[0].run(runs, "refit")
        _synchronise()
        spent += clock() - started
        weights += [run.weights for run in runs]
    return spent, torch.stack(weights)


def _synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


FIT = """
import sys, time
import torch
threads = torch.get_num_threads()  # of the environment, or torch's own choice where that says nothing
from tests.benchmarks.bench_training import made, leave_one_out, epoch_seconds, SIZES
from himoe.config.sections import Training
layout, n_times, options = SIZES[sys.argv[1]]
model, tokens = sys.argv[2], made(layout, 4, 16, n_times)
options = options if model == "himoe" else {"width": options["width"], "match_parameters": False}
settings = Training(epochs=int(sys.argv[4]), shift_seconds=1, batch_size=int(sys.argv[3]), crop_seconds=n_times / 2)
job = tokens, leave_one_out(tokens)[:1], model, 1, settings, options
epoch_seconds(*job, threads=threads)
print("ready", flush=True)
sys.stdin.readline()
print(epoch_seconds(*job, settings.epochs, time.perf_counter, threads=threads)[0])
"""


def side_by_side(n: int, how: str, *fit: str) -> float:
    """Wall seconds of the slowest of ``n`` equal fits that start together, ``pinned`` to one thread each or not."""
    free = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    env = free | ({f"{k}_NUM_THREADS": "1" for k in ("OMP", "MKL", "OPENBLAS")} if how == "pinned" else {})
    command = [sys.executable, "-c", FIT, *fit]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, cwd=ROOT, env=env, **pipes) for _ in range(n)]
    for p in processes:
        p.stdout.readline()
    for p in processes:
        p.stdin.write("go\n")
        p.stdin.flush()
    return max(float(p.communicate(timeout=600)[0]) for p in processes)


ASKED = ("few modalities, 8 s", "late_fusion")  # the size the lines were set at: where a step is bound by its operations


@pytest.mark.parametrize(
    "fit", [("few modalities, 8 s", "late_fusion", "8", "80"), ("the default run's", "himoe", "32", "12")], ids=lambda f: f[0]
)
def test_g4_two_fits_side_by_side(fit):
    """One thread each against torch's own number, which is all cores for each: how much that costs depends on how often a step
    calls all threads together."""
    if (os.cpu_count() or 1) < 2:
        pytest.skip("one core")
    rows = [[side_by_side(n, how, *fit) for n, how in ((1, "pinned"), (2, "pinned"), (2, "free"))] for _ in range(3)]
    one, two, free = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"\n{environment()}, {os.cpu_count()} cores")
    print(f"G4 {fit}: one fit {one:.1f} s, two 1-thread fits side by side {two:.1f} s: {2 * one / two:.2f}x (line 1.8)")
    print(f"   two fits that take torch's own number of threads {free:.1f} s: pinned {free / two:.1f}x as fast (line 5)")
    assert 2 * one / two >= 1.8
    assert free / two >= 5


SIZES = {
    "few modalities, 8 s": (FEW, 16, {"width": 16}),
    "few modalities, 15 s": (FEW, 30, {"width": 32}),
    "the default run's": (deap_layout(), 60, {"width": 32, "max_lag": 4}),
    "full size": (deap_layout(), 60, {}),
}


@pytest.mark.parametrize("size", SIZES)
def test_g5_eight_folds_together(size):
    """A stack of 8 against 8 fits one after the other, whole steps: input path, gradient, AdamW."""
    layout, n_times, options = SIZES[size]
    tokens = made(layout, 8, 16, n_times)
    for model in ("late_fusion", "himoe"):
        own = {k: v for k, v in options.items() if k == "width" or model == "himoe"} | (
            {"match_parameters": False} if model == "late_fusion" else {}
        )
        for batch_size in (8, 32):
            settings = Training(crop_seconds=n_times / 2, batch_size=batch_size, epochs=10, shift_seconds=1)
            spent = {1: [], 8: []}
            for _ in range(4):
                for stack in spent:
                    seconds, weights = epoch_seconds(tokens, leave_one_out(tokens), model, stack, settings, own)
                    spent[stack].append((seconds, weights))
            alone, together = (statistics.median(s for s, _ in spent[k][1:]) for k in (1, 8))
            gap = (spent[8][0][1] - spent[1][0][1]).norm() / spent[1][0][1].norm()
            told = f"{1e3 * alone / 8:.0f} ms alone, {1e3 * together / 8:.0f} ms together"
            line = {8: 2.0, 32: 1.3}[batch_size] if (size, model) == ASKED else None
            print(f"\nG5 {size}, {model}, batch {batch_size}: {told} per fold-epoch: {alone / together:.2f}x", end="")
            print(f" (line {line})" * bool(line), f"weights differ by {gap:.1e} (line 1e-4)", end="")
            assert line is None or alone / together >= line
            assert gap < 1e-4


def test_g7_input_path(tmp_path):
    """Batches with crops, shifts and outages, drawn from one tensor; torcheeg: torch's DataLoader over its lmdb cache."""
    torch.set_num_threads(1)
    tokens, settings = made(deap_layout(), 8, 40, 120), Training()
    split = leave_one_out(tokens)[0]
    one = StackFit(fits_of(tokens, "himoe", settings, Execution(device="cpu")), [split])
    [trainer], run = one.trainers, one.fold_run(split, n_epochs=1)
    key, affine, spent, n_steps = trainer.keys([run]), Affine.of([run.scaler]), [], int(trainer.steps([run])[0])
    for _ in range(5):
        started = time.process_time()
        windows = Windows.padded([crops(trainer.bank, run.train, trainer.n_times, key[0])], settings.batch_size)
        for step in range(n_steps):
            chunk = windows.select(slice(step * settings.batch_size, (step + 1) * settings.batch_size))
            training_batch(trainer.bank, affine, chunk, trainer.n_times, settings, noise.fold_in(key + step, INPUT))
        spent.append((time.process_time() - started) / n_steps)
    whole = epoch_seconds(tokens, [split], "himoe", 1, settings, {})[0] / n_steps
    per_batch = statistics.median(spent)
    print(f"\nG7 a batch of 32 crops of 60 tokens: {1e3 * per_batch:.1f} ms, {per_batch / whole:.1%} of a step (line 3%)")
    assert per_batch / whole <= 0.03
    theirs = theirs_per_window(tmp_path)
    ours = per_batch / (settings.batch_size * trainer.n_times)
    print(f"   per window (a token): {1e6 * ours:.2f} us, torcheeg {1e6 * theirs:.0f} us: {theirs / ours:.0f}x (line 10)")
    assert theirs / ours >= 10


def theirs_per_window(folder) -> float:
    from himoe.datasets import deap
    from himoe.types import Size

    deap.synthesize(folder / "dat", Size(("s01",), 40, 60.0), "python", 0.3, 0)
    peer("cache", folder)
    told = peer("loader", folder)
    return min(told["seconds"]) / told["windows"]


@pytest.mark.gpu
@pytest.mark.parametrize("n_folds", [8, 32])
def test_g5_on_a_gpu(n_folds):
    """Folds side by side against one after the other: full-size Hi-MoE, as many tokens as DEAP has (32 x 40 x 120)."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    tokens = made(deap_layout(), 32, 40, 120)
    splits, settings = leave_one_out(tokens)[:n_folds], Training(epochs=10)
    spent = {}
    for stack in (n_folds, 1):
        epoch_seconds(tokens, splits[:stack], "himoe", stack, settings, {}, 1, time.perf_counter, "cuda")  # warm
        torch.cuda.reset_peak_memory_stats()
        spent[stack], weights = epoch_seconds(tokens, splits, "himoe", stack, settings, {}, 1, time.perf_counter, "cuda")
        spent[f"w{stack}"] = weights
        print(
            f"\nG5 {torch.cuda.get_device_name()}, {stack} of {n_folds} folds side by side: {spent[stack] / n_folds:.2f} s per "
            f"fold-epoch, peak {torch.cuda.max_memory_allocated() / 2**20:.0f} MB, utilisation {_utilisation()}", end=""
        )  # fmt: skip
    gap = (spent[f"w{n_folds}"] - spent["w1"]).norm() / spent["w1"].norm()
    print(f"\n   {spent[1] / spent[n_folds]:.1f}x (line {5 if n_folds == 32 else '-'}), weights differ by {gap:.1e}")
    assert gap < 1e-3
    assert n_folds < 32 or spent[1] / spent[n_folds] >= 5


def _utilisation() -> str:
    try:
        return f"{torch.cuda.utilization()}%"
    except (ModuleNotFoundError, RuntimeError):
        return "unknown (nvidia-ml-py is absent)"


@pytest.mark.gpu
def test_a_whole_leave_one_out_on_a_gpu():
    """Hi-MoE, one seed, 32 folds, early stopping as in paper.yaml."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    tokens = made(deap_layout(), 32, 40, 120)
    fits, started = fits_of(tokens, "himoe", Training(), Execution(device="cuda")), time.perf_counter()
    fitted = [f for part in fits.fit(leave_one_out(tokens)) for f in part]
    spent, n_epochs = time.perf_counter() - started, sum(len(f.history) for f in fitted)
    assert [f.fold for f in fitted if not f.failed] == list(range(32))
    each = f"{n_epochs} fold-epochs, {spent / n_epochs:.2f} s each"
    print(f"\n{len(fitted)} folds, {fits.stack_size} side by side: {spent:.0f} s, {each}")
