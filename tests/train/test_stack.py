"""Models side by side: noise that knows its place, gradients and steps equal to those of the models alone."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pytest
import torch

from himoe.nn import noise
from himoe.nn.linear import Linear
from himoe.train.stack import Adam, Stack
from himoe.train.step import objective
from himoe.types import HimoeError
from tests.conftest import tokens_for
from tests.contract.networks import TORCH, batch_of, build

CPU = torch.device("cpu")


# --- noise -----------------------------------------------------------------------------------------------------------


def test_bits_are_splitmix64():
    """The published first outputs for seed 0 (Steele, Lea & Flood 2014; the reference implementation of Vigna)."""
    got = [int(b) % 2**64 for b in noise.bits(torch.tensor(0), 3)]
    assert got == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_noise_is_uniform_and_keys_are_unrelated():
    keys = noise.fold_in(torch.arange(4), 7)
    u = noise.uniform(keys, 500, 100)
    assert u.shape == (4, 500, 100)
    assert u.min() >= 0
    assert u.max() < 1
    histogram = torch.histc(u, 20, 0, 1) / u.numel()
    assert (histogram - 0.05).abs().max() < 0.002  # five standard errors of a share of 0.05 in 200,000
    r = np.corrcoef(u.flatten(1).numpy())
    assert np.abs(r - np.eye(4)).max() < 0.02
    whole = noise.integers(keys, -2, 2, 10_000)
    assert sorted(whole.unique().tolist()) == [-2, -1, 0, 1, 2]
    assert abs((whole == 2).float().mean() - 0.2) < 0.02


@pytest.mark.parametrize("least", [-128, -127, -3, 0, 1, 127])
def test_bytes_compare_alike_by_view_and_by_shift(least):
    """One word by hand: of 0x80_00_01_FF_7F_00_FE_02 the int8 are 2, -2, 0, 127, -1, 1, 0, -128. Then many, under vmap."""
    by_hand = torch.tensor([-0x80 << 56 | 0x00_01_FF_7F_00_FE_02])
    expected = [value >= least for value in (2, -2, 0, 127, -1, 1, 0, -128)]
    assert noise.bytes_from(by_hand, least, as_view=False).tolist() == expected
    words = noise.bits(torch.arange(3), 1000)
    by_shift = torch.vmap(lambda drawn: noise.bytes_from(drawn, least, as_view=False))(words)
    assert torch.equal(by_shift, words.view(torch.int8) >= least)


def test_dropout_keeps_the_mean_and_is_off_out_of_training():
    x = torch.ones(1000, 101)
    with noise.keyed(torch.tensor(3)):
        first, second = noise.dropout(x, 0.3, True), noise.dropout(x, 0.3, True)
    assert abs((first == 0).float().mean() - 0.3) < 0.005
    assert first.unique().tolist() == pytest.approx([0, 256 / (256 - 77)])  # 0.3 is 77 of 256
    assert abs(first.mean() - 1) < 0.01
    assert abs(np.corrcoef(first.flatten(), second.flatten())[0, 1]) < 0.02
    assert noise.dropout(x, 0.3, False) is x


def test_noise_drawn_ahead_is_the_noise_drawn_part_by_part():
    """Also where a draw is not as long as was known; and it does not depend on how long the draws before it were."""
    key = torch.tensor([5, 6])

    def drawn(sizes, ahead):
        with noise.keyed(key, ahead) as source:
            return [source.take(n) for n in sizes]

    parts = drawn((3, 10, 4), None)
    assert torch.equal(drawn((3, 3), noise.Ahead.of([3], CPU))[1], parts[1][..., :3])
    for known in ((3, 10, 4), (3, 9, 4), (3,), (3, 10, 4, 5)):
        together = drawn((3, 10, 4), noise.Ahead.of(list(known), CPU))
        assert all(torch.equal(a, b) for a, b in zip(parts, together, strict=True))
    assert torch.equal(drawn((2, 10), None)[1], parts[1])
    words = torch.cat(parts, dim=-1).flatten()
    assert len(words.unique()) == len(words)


def test_noise_without_a_key_is_refused():
    with pytest.raises(RuntimeError, match=r"outside of noise\.keyed"):
        noise.dropout(torch.ones(3), 0.5, True)


# --- one step --------------------------------------------------------------------------------------------------------


class Models(NamedTuple):
    name: str
    all: list[torch.nn.Module]


@pytest.fixture(scope="module", params=[*TORCH, "himoe+readout"])
def models(request):
    out = []
    for seed in range(3):
        torch.manual_seed(seed)
        out.append(build(request.param, tokens_for(request.param).layout))
    return Models(request.param, out)


def batches(models, n=3):
    one = [batch_of(tokens_for(models.name, 2, 3, seed=i)) for i in range(n)]
    return one, type(one[0])(*map(torch.stack, zip(*one, strict=True)))


def copies(models):
    import copy

    return copy.deepcopy(models.all)


def test_gradients_of_a_stack_are_those_of_its_models(models):
    """The reference is the plain module and plain backward, one at a time."""
    one, together = batches(models)
    keys, loss = torch.tensor([5, 6, 7]), objective(False, 0.5)
    stack = Stack(copies(models), CPU)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a loop in disguise warns of a performance drop
        losses, gradients = stack.gradients(together, keys, loss)
    for k, model in enumerate(copies(models)):
        with noise.keyed(keys[k]):
            alone = loss(model.train()(one[k]), one[k])
        alone.backward()
        expected = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in model.parameters()])
        torch.testing.assert_close(losses[k], alone.detach(), rtol=1e-5, atol=1e-6)
        assert (gradients[k] - expected).norm() / expected.norm() < 1e-5
        _, [single] = Stack([copies(models)[k]], CPU).gradients(type(one[k])(*(p[None] for p in one[k])), keys[k : k + 1], loss)
        torch.testing.assert_close(single, expected, rtol=0, atol=0)


def test_predictions_of_a_stack_are_those_of_its_models(models):
    one, together = batches(models)
    out = Stack(copies(models), CPU).predict(together._replace(y=None))
    for k, model in enumerate(models.all):
        alone = model.eval()(one[k]._replace(y=None))
        torch.testing.assert_close(out.prediction[k], alone.prediction, rtol=1e-4, atol=1e-5)
        assert out.routing.keys() == alone.routing.keys()
        for name, value in alone.routing.items():
            assert out.routing[name][k].shape == value.shape


def count_operations(models, n):
    _, together = batches(models, n)
    stack, loss = Stack([copies(models)[0] for _ in range(n)], CPU), objective(False, 0.5)
    with torch.profiler.profile() as seen:
        stack.gradients(together, torch.arange(n), loss)
    return sum(e.count for e in seen.key_averages() if e.key.startswith("aten::"))


def test_the_number_of_operations_does_not_grow_with_the_stack(models):
    """The issue's line: at most 1.5 times as many for 32 models as for one."""
    one = count_operations(models, 1)
    assert count_operations(models, 32) <= 1.5 * one


def test_adam_is_torchs():
    torch.manual_seed(0)
    stack = Stack([torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)], CPU)
    ours = Adam.of(stack, weight_decay=0.1, clip_norm=1.0)
    theirs = [torch.nn.Parameter(row.clone()) for row in stack.flat]
    steps = [torch.optim.AdamW([p], lr=1.0, weight_decay=0.1) for p in theirs]
    for n in range(20):
        gradient, rate = 3 * torch.randn(2, 8), torch.tensor([1e-2, 3e-3]) * (20 - n)
        moving = torch.tensor([True, n % 3 > 0])  # the second waits now and then
        assert (ours.step(stack, gradient, rate, moving) == moving).all()
        for k in torch.nonzero(moving).flatten().tolist():
            theirs[k].grad = gradient[k].clone()
            torch.nn.utils.clip_grad_norm_([theirs[k]], 1.0)
            steps[k].param_groups[0]["lr"] = rate[k].item()
            steps[k].step()
        torch.testing.assert_close(stack.flat, torch.stack([p.detach() for p in theirs]), rtol=1e-5, atol=1e-6)
    assert ours.steps.tolist() == [20, 13]


def test_a_step_that_is_not_finite_is_not_made():
    stack = Stack([torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)], CPU)
    adam, before = Adam.of(stack, 0.1, 1.0), stack.flat.clone()
    gradient = torch.ones(2, 8)
    gradient[1, 3] = torch.nan
    went = adam.step(stack, gradient, torch.full((2,), 0.1), torch.tensor([True, True]))
    assert went.tolist() == [True, False]
    assert not torch.equal(stack.flat[0], before[0])
    assert torch.equal(stack.flat[1], before[1])
    assert not adam.first[1].any()


def test_a_model_with_moving_buffers_is_refused():
    with pytest.raises(HimoeError, match="buffer running_mean changes while training"):
        Stack([torch.nn.BatchNorm1d(3)], CPU)


def test_products_are_in_bfloat16_where_that_is_asked_for(models):
    _, together = batches(models)
    seen, stack = [], Stack(copies(models), CPU, torch.bfloat16)
    for module in (m for m in stack.template.modules() if isinstance(m, Linear)):
        module.register_forward_hook(lambda module, args, out: seen.append(out.dtype))
    out = stack.predict(together._replace(y=None))
    assert set(seen) == {torch.bfloat16}
    assert out.prediction.dtype == stack.flat.dtype == torch.float32
    exact = Stack(copies(models), CPU).predict(together._replace(y=None)).prediction
    assert 0 < (out.prediction - exact).abs().mean() < 0.05


def test_buffers_that_differ_between_folds_are_refused():
    class Own(torch.nn.Linear):
        def __init__(self, value):
            super().__init__(2, 2)
            self.register_buffer("kept", torch.full((1,), value), persistent=False)

    with pytest.raises(HimoeError, match="Own: buffer kept differs between folds"):
        Stack([Own(1.0), Own(2.0)], CPU)
