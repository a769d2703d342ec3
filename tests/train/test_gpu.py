"""What holds on a CPU holds on a GPU: same noise, same weights within rounding, same bits twice, memory that runs out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from himoe.config.sections import Execution, Training
from himoe.train import devices, loop
from himoe.train.stack import Adam, Stack
from himoe.train.together import StackFit
from tests.conftest import make_tokens
from tests.contract.networks import TORCH
from tests.train.fits import distance, fits_of, fitted, folds, uneven

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


@pytest.mark.parametrize("model", TORCH)
@pytest.mark.parametrize("stack", [1, 4])
def test_a_gpu_trains_what_a_cpu_trains(model, stack, tmp_path):
    tokens = uneven()
    splits = folds(tokens, n_folds=4, tmp=tmp_path)
    on_cpu, on_gpu = (fitted(model, tokens, splits, stack, device=d, learning_rate=1e-3) for d in ("cpu", "cuda"))
    for a, b in zip(on_cpu, on_gpu, strict=True):
        assert distance(b.state, a.state) < 1e-3
        np.testing.assert_allclose([h["loss"] for h in a.history], [h["loss"] for h in b.history], rtol=1e-3)


def test_the_same_bits_twice(tmp_path):
    tokens = make_tokens()
    splits = folds(tokens, "loso", tmp=tmp_path)
    a, b = (fitted("himoe", tokens, splits, 6, device="cuda") for _ in range(2))
    assert all(np.array_equal(x.state[n], y.state[n]) for x, y in zip(a, b, strict=True) for n in x.state)


def test_all_folds_that_fit_are_taken(tmp_path):
    tokens = make_tokens()
    settings = Training(epochs=1, crop_seconds=10)
    fits = fits_of("himoe", tokens, {"width": 16}, settings=settings, execution=Execution())
    assert [len(part) for part in fits.fit(folds(tokens, "loso", tmp=tmp_path))] == [6]
    assert fits.device.type == "cuda"
    assert devices.describe(fits.device, settings, Execution())["peak_gpu_mb"] > 0


def test_memory_that_runs_out_halves_the_stack(tmp_path, monkeypatch, caplog):
    """The free memory is filled before the first step of six folds; it is given back when three are tried."""
    tokens, real, held = make_tokens(), loop.Trainer.run, []

    def run(self, runs, phase):
        held.clear()
        if len(runs) > 3:
            held.append(torch.empty(torch.cuda.mem_get_info()[0] - 2**22, dtype=torch.uint8, device="cuda"))
            torch.empty(2**30, dtype=torch.uint8, device="cuda")
        real(self, runs, phase)

    monkeypatch.setattr(loop.Trainer, "run", run)
    splits = folds(tokens, "loso", tmp=tmp_path)
    assert fitted_sizes(tokens, splits) == [3, 3]
    assert "out of GPU memory with 6 folds side by side: now 3" in caplog.text


def fitted_sizes(tokens, splits):
    settings = Training(epochs=1, crop_seconds=10)
    fits = fits_of("late_fusion", tokens, {"width": 16}, settings=settings, execution=Execution(stack=6))
    return [len(part) for part in fits.fit(splits)]


def test_mixed_precision_learns_and_keeps_its_weights_whole(tmp_path):
    tokens = make_tokens(8, 10)
    splits = folds(tokens, n_folds=3, tmp=tmp_path)
    results = fitted(
        "himoe", tokens, splits, 3, device="cuda", precision="bfloat16", epochs=15, patience=15, learning_rate=3e-3
    )
    for fold in results:
        assert all(a.dtype == np.float32 for a in fold.state.values())
        assert max(h["valid_ccc"] for h in fold.history) > 0.5


def test_no_step_waits_for_the_gpu(tmp_path, monkeypatch):
    """A step must not read a number back: the queue would run dry between steps."""
    tokens = make_tokens()
    split = folds(tokens, "loso", tmp=tmp_path)[0]
    settings = Training(epochs=1, crop_seconds=10)
    one = StackFit(fits_of("himoe", tokens, {"width": 16}, settings=settings, execution=Execution(device="cuda")), [split])
    [runner], run = one.trainers, one.fold_run(split)
    for name in ("training_batch",):
        monkeypatch.setattr(loop, name, unsynchronised(getattr(loop, name)))
    monkeypatch.setattr(Stack, "gradients", unsynchronised(Stack.gradients))
    monkeypatch.setattr(Adam, "step", unsynchronised(Adam.step))
    runner.run([run], "choose")


def unsynchronised(call):
    def watched(*args):
        torch.cuda.set_sync_debug_mode("error")
        try:
            return call(*args)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    return watched
