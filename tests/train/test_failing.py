"""Folds that diverge, devices that are absent, memory that runs out: one fold, one line, half of the stack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from himoe import registry
from himoe.config.sections import Execution, Training
from himoe.train import devices, loop
from himoe.train.stack import Stack
from himoe.train.together import StackFit, named_weights
from himoe.types import HimoeError
from tests.conftest import make_tokens
from tests.train.fits import SHORT, distance, fit, fits_of, fitted, folds

CPU = torch.device("cpu")


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("stack", [1, 6])
def test_a_fold_that_diverges_fails_alone(stack, refit, tmp_path, caplog):
    """One subject's recordings are infinite: folds that train or choose on it fail, the one that tests it is untouched."""
    tokens = make_tokens()
    splits = folds(tokens, "loso", tmp=tmp_path)
    healthy = fitted("late_fusion", tokens, splits[:1], 1, epochs=3, refit=refit)
    [bad] = {s for s, _ in splits[0].test}
    x = tokens.x.copy()
    for i, t in enumerate(tokens.trials):
        if t.subject == bad:
            rows = slice(tokens.offsets[i], tokens.offsets[i + 1])
            x[rows] = np.where(tokens.mask[rows][:, [0]], np.inf, 0)
    with np.errstate(invalid="ignore"):
        folds_after = fitted("late_fusion", replace(tokens, x=x), splits, stack, epochs=3, refit=refit)
    assert folds_after[0].failed == ""
    assert distance(folds_after[0].state, healthy[0].state) < 1e-4
    for split, fold in zip(splits[1:], folds_after[1:], strict=True):
        judged = bad in {s for s, _ in split.valid}
        assert fold.failed == ("diverged in epoch 1: validation is not finite" if judged else "diverged in epoch 1, step 1")
        assert all(np.isfinite(a).all() for a in fold.state.values())
    assert caplog.text.count("the weights before that are kept, the other folds go on") == 5


def test_the_weights_before_the_bad_step_are_kept(tmp_path, monkeypatch):
    """The gradient of fold 1 is not a number in its 8th step: its best weights until then stay, fold 0 never notices."""
    tokens, real, calls = make_tokens(), Stack.gradients, [0]
    splits = folds(tokens, "loso", tmp=tmp_path)[:2]
    clean = fitted("late_fusion", tokens, splits, 2)
    n_steps = 2  # four subjects' 16 crops of 20 tokens, in batches of 8

    def poisoned(self, *args):
        losses, gradient = real(self, *args)
        calls[0] += 1
        if calls[0] == 8:
            gradient[1, 5] = torch.nan
        return losses, gradient

    monkeypatch.setattr(Stack, "gradients", poisoned)
    ends, conclude = [], loop.Trainer.conclude_epoch

    def watched(self, runs, stack, adam, state, scores):
        ends.append(stack.flat.clone())
        return conclude(self, runs, stack, adam, state, scores)

    monkeypatch.setattr(loop.Trainer, "conclude_epoch", watched)
    folds_after = fitted("late_fusion", tokens, splits, 2)
    assert calls[0] == SHORT.epochs * n_steps
    assert folds_after[1].failed == "diverged in epoch 4, step 2"
    assert folds_after[1].history == clean[1].history[:3]
    best = max(folds_after[1].history, key=lambda h: h["valid_ccc"])["epoch"]
    assert folds_after[1].best_epoch == best
    run = StackFit(fits_of("late_fusion", tokens, {"width": 16}), splits).fold_run(splits[0], n_epochs=1)
    expected = named_weights(run.initial_model(), ends[best - 1][1])
    assert all(np.array_equal(folds_after[1].state[n], expected[n]) for n in expected)
    assert not folds_after[0].failed
    assert all(np.array_equal(folds_after[0].state[n], clean[0].state[n]) for n in clean[0].state)


def settle(device):
    return devices.settle(Training(), Execution(device=device))


def test_the_device_asked_for_is_the_device_got(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if not torch.cuda.is_available():
        with pytest.raises(HimoeError, match=r"execution\.device: cuda, but torch .* sees no GPU here; use device: cpu"):
            settle("cuda")
        assert settle("auto").type == "cpu"
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")  # by a shell
        assert settle("auto").type == "cpu"
        monkeypatch.setenv("SLURM_JOB_ID", "17")
        for hidden in ("", "-1", "NoDevFiles"):
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
            assert settle("auto").type == "cpu"
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")  # by a scheduler
        with pytest.raises(HimoeError, match=r"given a GPU \(CUDA_VISIBLE_DEVICES=3\), but torch .* sees none: install"):
            settle("auto")
    assert settle("cpu").type == "cpu"
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_float32_matmul_precision() == "highest"


def test_how_many_folds_fit():
    from himoe.train.devices import how_many, side_by_side

    assert how_many(free=100, bytes_of_one=8, n_folds=32) == 10  # 0.8 * 100 / 8
    assert how_many(free=100, bytes_of_one=8, n_folds=4) == 4
    assert how_many(free=10, bytes_of_one=80, n_folds=4) == 1
    assert side_by_side(Execution(stack=3), CPU, 8) == 3
    assert side_by_side(Execution(stack=30), CPU, 8) == 8
    assert side_by_side(Execution(), CPU, 8) == 1


def test_too_many_for_the_memory_are_halved(tmp_path, monkeypatch, caplog):
    real, tokens = loop.Trainer.run, make_tokens()
    splits, tried = folds(tokens, "loso", tmp=tmp_path), []

    def run(self, runs, phase):
        tried.append(len(runs))
        if len(runs) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        real(self, runs, phase)

    monkeypatch.setattr(loop.Trainer, "run", run)
    settings = SHORT.model_copy(update={"epochs": 1})
    fits = fits_of("late_fusion", tokens, {"width": 16}, settings=settings, execution=Execution(stack=6, device="cpu"))
    assert [f.fold for part in fits.fit(splits) for f in part] == list(range(6))
    assert tried == [6, 3, 2, 2, 2]
    assert "out of GPU memory with 6 folds side by side: now 3" in caplog.text
    assert fits.stack_size == 2

    def never(self, runs, phase):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(loop.Trainer, "run", never)
    with pytest.raises(HimoeError, match=r"one fold alone does not fit into the GPU's memory; lower training\.batch_size"):
        list(fits.fit(splits))


def test_an_estimator_that_predicts_no_number_is_named(tmp_path, tokens, monkeypatch):
    """In inner validation, before anything is written: of NaN the calibration would be NaN, which no run record may hold."""
    split = folds(tokens, n_folds=2, tmp=tmp_path)[0]
    plugin = registry.load("models", "ridge")
    monkeypatch.setattr(plugin, "predict", lambda state, rows: np.full((len(rows.x), 2), np.nan))
    with pytest.raises(HimoeError, match=r"himoe\.models\.ridge: predict gave numbers that are not finite"):
        fit("ridge", tokens, split)
