"""Flex-MoE: the bank, the gates and the routers' targets, worked by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from himoe.models import flex_moe
from himoe.nn import noise
from himoe.types import Batch, BuildContext
from tests.conftest import make_tokens

N_MODALITIES = 3


@pytest.fixture
def model():
    torch.manual_seed(0)
    layout = replace(make_tokens().layout, modalities=("a", "b", "c"), features=(("a0", "a1"), ("b0",), ("c0", "c1")))
    return flex_moe.build(BuildContext(layout, 6), flex_moe.Config(width=16)).eval()


def batch(mask):
    """Four windows of six steps; ``mask`` (..., 3) of every step."""
    torch.manual_seed(1)
    valid = torch.ones(4, 6, dtype=torch.bool)
    time = torch.arange(6).expand(4, 6) / 2.0
    return Batch(torch.randn(4, 6, 5), torch.tensor(mask).expand(4, 6, 3), time, valid, torch.arange(4))


def test_the_bank_by_hand():
    """entry[m, n] = 10 m + n. Step 0 lacks 1 and has 0 and 2: 11 + (10 + 12) / 2 = 22. Step 1 has 2 alone: 0 + 2 and 11 + 12.
    Step 2 has nothing: the diagonal. Present tokens are unchanged, and absent ones are never read."""
    bank = flex_moe.MissingBank(3, 1)
    with torch.no_grad():
        bank.entry.copy_((10.0 * torch.arange(3)[:, None] + torch.arange(3)).unsqueeze(-1))
    mask = torch.tensor([[True, False, True], [False, False, True], [False] * 3, [True] * 3])
    h = torch.where(mask, torch.tensor([0.1, 0.2, 0.3]), torch.nan).unsqueeze(-1)
    expected = [[0.1, 22.0, 0.3], [2.0, 23.0, 0.3], [0.0, 11.0, 22.0], [0.1, 0.2, 0.3]]
    torch.testing.assert_close(bank(h, mask).squeeze(-1), torch.tensor(expected))


def test_the_bank_is_used_only_where_a_modality_is_absent(model):
    whole, part = batch([True] * 3), batch([True, False, True])
    before = [model(b).prediction for b in (whole, part)]
    with torch.no_grad():
        model.bank.entry[1, 0] += 1.0  # missing 1, observed 0
    assert torch.equal(model(whole).prediction, before[0])
    assert (model(part).prediction != before[1]).any()
    with torch.no_grad():
        model.bank.entry[[0, 2]] += 1.0  # 0 and 2 are not missing
        model.bank.entry[1, 0] -= 1.0
    torch.testing.assert_close(model(part).prediction, before[1])


def test_top_k_gates_by_hand():
    """Logits log 1, log 6, log 3, log 2: of the two largest 6 / 9 and 3 / 9, of one 1, of all the softmax; ties keep k."""
    logits = torch.log(torch.tensor([1.0, 6.0, 3.0, 2.0]))
    torch.testing.assert_close(flex_moe.top_k_gates(logits, 2), torch.tensor([0.0, 2 / 3, 1 / 3, 0.0]))
    assert flex_moe.top_k_gates(logits, 2)[[0, 3]].tolist() == [0.0, 0.0]
    assert flex_moe.top_k_gates(logits, 1).tolist() == [0.0, 1.0, 0.0, 0.0]
    torch.testing.assert_close(flex_moe.top_k_gates(logits, 4), torch.softmax(logits, 0))
    assert (flex_moe.top_k_gates(torch.zeros(5, 4), 2) == 0.5).sum(-1).tolist() == [2] * 5


def test_the_s_routers_target_is_the_number_of_absent_modalities():
    """Two tokens a step, logits log 1, log 2, log 5 (shares 1/8, 2/8, 5/8). One absent: -log 2/8; two: -log 5/8; the third
    step is not counted; no step counted: 0."""
    logits = torch.log(torch.tensor([1.0, 2.0, 5.0])).expand(3, 2, 3)
    absent, counted = torch.tensor([1, 2, 0]), torch.tensor([True, True, False])
    expected = -(math.log(2 / 8) + math.log(5 / 8)) / 2
    assert flex_moe.expert_loss(logits, absent, counted).item() == pytest.approx(expected, rel=1e-5)
    assert flex_moe.expert_loss(logits, absent, counted & False) == 0


def biased(model, router):
    """A bias of 50 for experts 1 and 3: steps that use this router are routed there."""
    with torch.no_grad():
        getattr(model.layer, router).bias.copy_(torch.tensor([0.0, 50.0, 0.0, 50.0]))


def test_complete_steps_use_the_g_router_alone(model):
    b = batch([True] * 3)
    before = model(b).routing["expert_share"]
    biased(model, "special")
    assert torch.equal(model(b).routing["expert_share"], before)
    biased(model, "general")
    assert not model(b).routing["expert_share"][..., [0, 2]].any()


def test_incomplete_steps_use_both_routers(model):
    b = batch([True, False, True])
    before = model(b).routing["expert_share"]
    with torch.no_grad():
        model.layer.general.bias.copy_(torch.tensor([0.0, -50.0, 0.0, -50.0]))
    assert not torch.equal(model(b).routing["expert_share"], before)
    assert not model(b).routing["expert_share"][..., [1, 3]].any()
    with torch.no_grad():
        model.layer.special.bias.copy_(torch.tensor([0.0, 100.0, 0.0, 100.0]))
    assert not model(b).routing["expert_share"][..., [0, 2]].any()


@pytest.mark.parametrize(("mask", "complete"), [([True] * 3, True), ([True, False, True], False)])
def test_all_steps_are_balanced_and_incomplete_ones_have_an_expert_loss(model, mask, complete):
    with noise.keyed(torch.tensor(0)):
        losses = model.train()(batch(mask)).losses
    assert losses["balance"] > 0
    assert (losses["expert"] > 0) != complete
    losses["balance"].backward()
    assert model.layer.general.weight.grad.abs().sum() > 0


def test_the_s_router_learns_its_targets(model):
    """By its loss alone, steps that lack 0 to 3 modalities send their first gates to the expert of that number."""
    masks = torch.tensor([[True, True, True], [True, False, True], [False, False, True], [False] * 3])
    b = batch([True] * 3)._replace(mask=masks[:, None].expand(4, 6, 3))
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        with noise.keyed(torch.tensor(0)):
            model.train()(b).losses["expert"].backward()
        optimizer.step()
    share = model.eval()(b).routing["expert_share"]
    assert share[1:].argmax(-1).tolist() == [[n] * 6 for n in (1, 2, 3)]


def test_the_layer_is_equivariant_to_the_order_of_tokens(model):
    h, order = torch.randn(5, N_MODALITIES, 16), torch.tensor([2, 0, 1])
    mask = torch.tensor([[True] * 3, [True, True, False], [True] * 3, [False, True, True], [False] * 3])
    with torch.no_grad():
        model.layer.observed.weight.zero_()
    (out, gates, _), (moved, moved_gates, _) = model.layer(h, mask), model.layer(h[:, order], mask[:, order])
    torch.testing.assert_close(moved, out[:, order])
    torch.testing.assert_close(moved_gates, gates[:, order])
