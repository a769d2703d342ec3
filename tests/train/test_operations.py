"""The counter of operations counts what is computed, in a stack and in a gradient, and the step it counts is the trainer's."""

from __future__ import annotations

import pytest
import torch

from himoe.config.sections import Execution, Training
from tests.benchmarks.bench_training import deap_layout, leave_one_out, made
from tests.conftest import make_tokens
from tests.train.fits import SHORT, fits_of, folds
from tests.train.operations import Operations, Steps, operations_of


def by_hand(x):
    """Seven: zeros, mul, add, clone (of the reshape), sum, and in place fill and copy; the rest is a look at memory."""
    held = torch.zeros(x.shape[::-1])
    doubled = (x.transpose(0, 1).unsqueeze(0).expand(2, -1, -1) * 2)[0] + 1
    held[0].fill_(0.5)
    held.copy_(doubled)
    return doubled.reshape(-1).detach().split(2)[0].view(2).sum()


def test_what_is_computed_is_counted():
    with Operations() as seen:
        by_hand(torch.empty(3, 4).permute(0, 1))
    assert seen.counts == {"zeros": 1, "mul": 1, "add": 1, "clone": 1, "sum": 1, "fill_": 1, "copy_": 1}


def test_a_stack_and_a_gradient_are_counted():
    """x^2 of three rows: one product for all of them; of its gradient: ones to begin with, then 2 x as product with 2 and with
    what came in."""
    x = torch.ones(3, 2, requires_grad=True)
    with Operations() as seen:
        y = torch.vmap(torch.square)(x)
    assert seen.counts == {"pow": 1}
    with Operations() as seen:
        torch.autograd.grad(y, x, torch.ones_like(y))
    assert seen.counts["mul"] == 2
    assert seen.counts.total() <= 4  # and x to the power of one, which torch may compute


@pytest.mark.parametrize("model", ["late_fusion", "himoe"])
def test_the_step_is_the_trainers_and_does_not_grow_with_the_folds(model, tmp_path):
    tokens = make_tokens()
    splits, counts = folds(tokens, "loso", tmp=tmp_path), []
    for n in (2, 4):
        fits = fits_of(model, tokens, {"width": 16}, settings=SHORT.model_copy(update={"epochs": 1}))
        steps = Steps(fits, splits[:n])
        counts.append(operations_of(steps))
        again = Steps(fits, splits[:n])
        again(again.n_steps)
        again.trainer.run(again.runs, "refit")
        assert all(torch.equal(run.weights, row) for run, row in zip(again.runs, again.stack.flat, strict=True))
    assert counts[0] == counts[1]
    assert min(counts[0][name] for name in ("bitwise_xor", "lerp")) > 0  # noise and AdamW are part of it


def test_a_step_of_the_studied_model_starts_no_more_than_1700_operations():
    """At DEAP's layout, with lags, shifts and outages: for one fold and for 32 alike."""
    tokens = made(deap_layout(), 33, 2, 120)
    for n in (1, 32):
        settings = Training(epochs=1, batch_size=2, shift_seconds=1)
        fits = fits_of("himoe", tokens, settings=settings, execution=Execution(stack=n, device="cpu"))
        counts = operations_of(Steps(fits, leave_one_out(tokens)[:n]))
        assert counts.total() <= 1700
        assert counts["bmm"] > 50
