"""What holds on a CPU holds on a GPU: same noise, same weights within rounding, same bits twice, memory that runs out.

Every test runs on a CPU too, which stands in for the GPU: shorter, and what it says of a GPU is nothing, but a fault of the
tests themselves is found without one. ``-m gpu`` takes those on the GPU, within a minute.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from himoe.config.sections import Execution, Training
from himoe.train import devices, loop, step
from himoe.train.stack import Adam, Stack
from himoe.train.together import StackFit
from tests.conftest import make_tokens
from tests.contract.networks import TORCH
from tests.train.fits import distance, fits_of, fitted, folds, uneven
from tests.train.operations import Operations

ON_A_GPU = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]
READS_BACK = {"_local_scalar_dense", "nonzero", "masked_select", "equal"}  # operations that wait for their result


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=ON_A_GPU)])
def accelerator(request):
    """The device under test."""
    return request.param


@pytest.mark.parametrize("model", TORCH)
@pytest.mark.parametrize("stack", [1, 4])
def test_a_gpu_trains_what_a_cpu_trains(model, stack, accelerator, tmp_path):
    tokens = uneven(model=model)
    splits, epochs = folds(tokens, n_folds=4, tmp=tmp_path)[:stack], 1 if accelerator == "cpu" else 3
    on_cpu, on_gpu = (
        fitted(model, tokens, splits, stack, device=device, learning_rate=1e-3, epochs=epochs)
        for device in ("cpu", accelerator)
    )
    for a, b in zip(on_cpu, on_gpu, strict=True):
        assert distance(b.state, a.state) < 1e-3
        np.testing.assert_allclose([h["loss"] for h in a.history], [h["loss"] for h in b.history], rtol=1e-3)


def test_the_same_bits_twice(accelerator, tmp_path):
    tokens = make_tokens()
    splits = folds(tokens, "loso", tmp=tmp_path)
    a, b = (fitted("himoe", tokens, splits, 6, device=accelerator, epochs=2) for _ in range(2))
    assert all(np.array_equal(x.state[n], y.state[n]) for x, y in zip(a, b, strict=True) for n in x.state)


@pytest.mark.parametrize("accelerator", [pytest.param("cuda", marks=ON_A_GPU)], indirect=True)
def test_recorded_steps_are_the_steps(accelerator, tmp_path, caplog):
    """To the bit, folds that leave the stack among them, and torch refuses none. (Without a GPU: test_repeated.py.)"""
    tokens = uneven()
    splits = folds(tokens, n_folds=4, tmp=tmp_path)
    a, b = (
        fitted("himoe", tokens, splits, 4, device=accelerator, capture=c, epochs=6, patience=1, learning_rate=3e-3)
        for c in ("off", "auto")
    )
    for plain, replayed in zip(a, b, strict=True):
        assert plain.history == replayed.history
        assert all(np.array_equal(plain.state[n], replayed.state[n]) for n in plain.state)
    assert not [line for line in caplog.messages if "captured" in line]


def test_all_folds_that_fit_are_taken(accelerator, tmp_path):
    """On a GPU all six; on a CPU one after the other, which is faster there."""
    tokens, execution = make_tokens(), Execution(device=accelerator)
    settings = Training(epochs=1, crop_seconds=10)
    fits = fits_of("himoe", tokens, {"width": 16}, settings=settings, execution=execution)
    sizes = [len(part) for part in fits.fit(folds(tokens, "loso", tmp=tmp_path))]
    assert sizes == ([6] if accelerator == "cuda" else 6 * [1])
    assert fits.device.type == accelerator
    assert (devices.describe(fits.device, settings, execution)["peak_gpu_mb"] > 0) == (accelerator == "cuda")


def test_memory_that_runs_out_halves_the_stack(accelerator, tmp_path, monkeypatch, caplog):
    """The free memory is filled before the first step of six folds; it is given back when three are tried."""
    tokens, real, held = make_tokens(), loop.Trainer.run, []

    def run(self, runs, phase):
        held.clear()
        if len(runs) > 3:
            held.append(all_free_memory(accelerator))
        real(self, runs, phase)

    monkeypatch.setattr(loop.Trainer, "run", run)
    settings, execution = Training(epochs=1, crop_seconds=10), Execution(stack=6, device=accelerator)
    fits = fits_of("late_fusion", tokens, {"width": 16}, settings=settings, execution=execution)
    assert [len(part) for part in fits.fit(folds(tokens, "loso", tmp=tmp_path))] == [3, 3]
    assert "out of GPU memory with 6 folds side by side: now 3" in caplog.text


def all_free_memory(accelerator):
    """A tensor that leaves no GiB free, and the error of the next one; on a CPU, the error alone."""
    if accelerator == "cpu":
        raise torch.OutOfMemoryError("CUDA out of memory")
    taken = torch.empty(torch.cuda.mem_get_info()[0] - 2**22, dtype=torch.uint8, device="cuda")
    torch.empty(2**30, dtype=torch.uint8, device="cuda")
    return taken


def test_mixed_precision_learns_and_keeps_its_weights_whole(accelerator, tmp_path):
    tokens = make_tokens(8, 10)
    splits = folds(tokens, n_folds=3, tmp=tmp_path)
    update = {"precision": "bfloat16", "epochs": 15, "patience": 15, "learning_rate": 3e-3}
    for fold in fitted("himoe", tokens, splits, 3, device=accelerator, **update):
        assert all(a.dtype == np.float32 for a in fold.state.values())
        assert max(h["valid_ccc"] for h in fold.history) > 0.5


def test_no_step_waits_for_the_gpu(accelerator, tmp_path, monkeypatch):
    """A step must not read a number back: the queue would run dry between steps."""
    tokens = make_tokens()
    split = folds(tokens, "loso", tmp=tmp_path)[0]
    settings, watched = Training(epochs=1, crop_seconds=10), unsynchronised(accelerator)
    one = StackFit(
        fits_of("himoe", tokens, {"width": 16}, settings=settings, execution=Execution(device=accelerator, capture="off")),
        [split],
    )
    [runner], run = one.trainers, one.fold_run(split)
    for owner, name in ((step, "training_batch"), (Stack, "gradients"), (Adam, "step")):
        monkeypatch.setattr(owner, name, watched(getattr(owner, name)))
    runner.run([run], "choose")
    if accelerator == "cpu":
        monkeypatch.setattr(Adam, "step", watched(lambda *_: bool(torch.ones(1).isfinite())))
        with pytest.raises(AssertionError, match="_local_scalar_dense"):
            runner.run([one.fold_run(split)], "choose")


def unsynchronised(accelerator):
    """Wraps a call so that it fails where it waits for the GPU; on a CPU, where it reads a tensor's values."""

    def on_a_gpu(call, *args):
        torch.cuda.set_sync_debug_mode("error")
        try:
            return call(*args)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    def on_a_cpu(call, *args):
        with Operations() as seen:
            result = call(*args)
        assert not READS_BACK & seen.counts.keys(), READS_BACK & seen.counts.keys()
        return result

    one = on_a_cpu if accelerator == "cpu" else on_a_gpu
    return lambda call: lambda *args: one(call, *args)
