"""MoMKE: absent modalities contribute nothing; mixture of experts and unimodal loss against numbers worked by hand."""

from __future__ import annotations

import math

import pytest
import torch

from himoe.models import momke
from himoe.types import Batch, BuildContext
from tests.contract.networks import train_on
from tests.models.three_modalities import LAYOUT

MASK = torch.tensor([[[True, False, True], [True, True, True], [False, False, True], [False, False, False]]])


class Constant(torch.nn.Module):
    """Experts of three modalities whose outputs are 1, 2 and 6, whatever their input."""

    def forward(self, x):
        return torch.tensor([1.0, 2, 6])[:, None, None].expand(3, *x.shape)


@pytest.fixture
def bank():
    torch.manual_seed(0)
    return momke.ModalityExperts(3, 8, 8)


@pytest.fixture
def tokens():
    return torch.randn(1, 4, 3, 8, generator=torch.Generator().manual_seed(1))


def test_weights_of_a_present_modality_sum_to_one_and_of_an_absent_one_to_zero(bank, tokens):
    combine = bank(tokens, MASK).combine
    torch.testing.assert_close(combine.sum(-1), MASK.float())
    assert not combine[~MASK].any()


def test_mixture_by_hand(bank, tokens):
    """Router biases log (1, 1, 2) of a, log (3, 1, 0) of b, log (0, 1, 0) of c: a adds (1 + 2 + 12) / 4 = 3.75 to its token,
    b (3 + 2) / 4 = 1.25, c 2; the joint representation is the mean over the present."""
    bank.experts = Constant()
    with torch.no_grad():
        bank.router.zero_()
        bank.router_bias.copy_(torch.log(torch.tensor([[1, 1, 2], [3, 1, 1e-30], [1e-30, 1, 1e-30]])))
    joint, (a, b, c) = bank(tokens, MASK).joint[0], tokens[0].unbind(1)
    torch.testing.assert_close(joint[0], (a[0] + 3.75 + c[0] + 2) / 2)
    torch.testing.assert_close(joint[1], (a[1] + 3.75 + b[1] + 1.25 + c[1] + 2) / 3)
    torch.testing.assert_close(joint[2], c[2] + 2)
    assert not joint[3].any()


def test_the_unimodal_representation_is_by_the_modalitys_expert(bank, tokens):
    bank.experts = Constant()
    unimodal = bank(tokens, MASK).unimodal
    torch.testing.assert_close(unimodal[0, 1], tokens[0, 1] + torch.tensor([1.0, 2, 6])[:, None])


def test_an_absent_modality_contributes_exactly_nothing(bank, tokens):
    """Neither its content nor its router changes a bit of the result; a present modality's do. Its expert still serves the
    others."""
    mask = torch.tensor([True, False, True]).expand(1, 4, 3)
    before, content = bank(tokens, mask).joint, tokens.clone()
    content[:, :, 1] = torch.nan
    assert torch.equal(bank(content, mask).joint, before)
    with torch.no_grad():
        bank.router[1] += 5
        bank.router_bias[1] -= 3
    assert torch.equal(bank(tokens, mask).joint, before)
    with torch.no_grad():
        bank.router_bias[2, 0] += 3
    changed = bank(tokens, mask).joint
    assert not torch.allclose(changed, before)
    with torch.no_grad():
        bank.experts.down[1] += 1
    assert not torch.allclose(bank(tokens, mask).joint, changed)


def test_joint_is_the_mean_of_each_present_modality_alone(bank, tokens):
    """No modality enters another's representation."""
    alone = [bank(tokens, torch.eye(3, dtype=torch.bool)[m].expand(1, 4, 3)).joint for m in range(3)]
    joint = bank(tokens, torch.tensor([True, False, True]).expand(1, 4, 3)).joint
    torch.testing.assert_close(joint, (alone[0] + alone[2]) / 2)


def test_unimodal_loss_by_hand():
    """Every modality predicts (1, 0) for targets (3, nan) at step 0 and (0, 1) at step 1: errors 4; 1 and 1. Present: two at
    step 0, three at step 1: (2 * 4 + 3 * (1 + 1)) / (2 + 6) = 14 / 8, times the weight 0.5."""
    model = momke.build(BuildContext(LAYOUT, 8), momke.Config(width=8, unimodal_weight=0.5))
    with torch.no_grad():
        model.unimodal_head.zero_()
        model.unimodal_bias.copy_(torch.tensor([1.0, 0.0]).expand(3, 2))
    y = torch.tensor([[[3.0, math.nan], [0.0, 1.0]]])
    batch = Batch(torch.randn(1, 2, 6), MASK[:, :2], torch.zeros(1, 2), torch.ones(1, 2, dtype=torch.bool), torch.zeros(1), y)
    assert train_on(model, batch).losses["unimodal"].item() == pytest.approx(0.5 * 14 / 8)
    output = model.eval()(batch)
    assert output.losses == {}
    torch.testing.assert_close(output.routing["expert_share"].sum(-1), torch.ones(1, 2))
