"""Building blocks of the networks against numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from himoe.nn import augment, encoder, losses, prototypes, soft_moe
from himoe.nn.readout import LinearReadout, WithReadout
from himoe.types import Batch, Output

torch.manual_seed(0)


def test_soft_moe_by_hand():
    """Two tokens, one absent; one expert that doubles: dispatch and combine are 1 for the present token alone."""
    moe = soft_moe.MaskedSoftMoE(4, 1, 4)

    class Double(torch.nn.Module):
        def forward(self, x):
            return 2 * x

    moe.experts = Double()
    tokens = torch.tensor([[[1.0, 2, 3, 4], [9.0, 9, 9, 0]]])
    mask = torch.tensor([[True, False]])
    routed = moe(tokens, mask, torch.zeros(1, 2, 1))
    expected = 2 * torch.nn.functional.layer_norm(tokens[0, 0], (4,))
    torch.testing.assert_close(routed.out[0, 0], expected)
    torch.testing.assert_close(routed.out[0, 1], torch.zeros(4))
    assert routed.combine[0, 1].item() == 0


def test_soft_moe_weights_are_the_two_softmaxes():
    """Dispatch over tokens, combine over experts, from the same logits (Puigcerver et al. 2023, eq. 1-3)."""
    moe = soft_moe.MaskedSoftMoE(4, 2, 4)
    with torch.no_grad():
        moe.scale.fill_(0.0)  # logits are the bias alone
    bias = torch.tensor([[[math.log(1.0), math.log(3.0)], [math.log(1.0), math.log(1.0)]]])
    routed = moe(torch.randn(1, 2, 4), torch.ones(1, 2, dtype=torch.bool), bias)
    torch.testing.assert_close(routed.combine, torch.tensor([[[0.25, 0.75], [0.5, 0.5]]]))


def test_expert_count_does_not_change_the_number_of_operations():
    def count(n_experts):
        experts = soft_moe.Experts(n_experts, 8, 16)
        with torch.profiler.profile() as seen:
            experts(torch.randn(n_experts, 5, 8))
        return sum(e.count for e in seen.key_averages())

    assert count(2) == count(16)


def test_fusion_gives_absent_tokens_no_weight():
    fusion = soft_moe.MaskedFusion(4)
    tokens = torch.randn(3, 4, 4)
    mask = torch.tensor([[1, 1, 0, 1], [0, 0, 0, 1], [1, 0, 0, 1]], dtype=torch.bool)
    fused, weights = fusion(tokens, mask)
    assert (weights[~mask] == 0).all()
    torch.testing.assert_close(weights.sum(1), torch.ones(3))
    torch.testing.assert_close(fused[1], tokens[1, 3])


def test_differential_weights_by_hand():
    """lambda = 0.5 and equal maps leave half of a softmax: signed weights sum to 1 - lambda."""
    bank = prototypes.DifferentialPrototypes(8, 4, 2, 8, 2, lambda_init=0.5)
    with torch.no_grad():
        bank.lambda_vectors.zero_()  # exp(0) - exp(0) + 0.5
    output = bank(torch.randn(3, 5, 8))
    assert output.lam.item() == pytest.approx(0.5)
    torch.testing.assert_close(output.weights.sum(-1), torch.full((3, 5), 0.5))
    torch.testing.assert_close(output.first_map.sum(-1), torch.ones(3, 5))


def test_lambda_stays_within_its_bounds():
    bank = prototypes.DifferentialPrototypes(8, 4, 2, 8, 2)
    for vectors, expected in (
        ([[2.0] * 4, [2.0] * 4, [0.0] * 4, [0.0] * 4], 0.9),
        ([[0.0] * 4, [0.0] * 4, [2.0] * 4, [2.0] * 4], 0.0),
    ):
        with torch.no_grad():
            bank.lambda_vectors.copy_(torch.tensor(vectors))
        assert bank.lam().item() == pytest.approx(expected)


def test_differential_attention_makes_negative_weights():
    bank = prototypes.DifferentialPrototypes(8, 4, 2, 8, 2, lambda_init=0.9)
    assert (bank(4 * torch.randn(8, 5, 8)).weights < 0).any()


def test_anchors_by_hand():
    torch.testing.assert_close(prototypes.anchor_points(3, 1), torch.tensor([[-1.5], [0.0], [1.5]]))
    square = torch.tensor([[1.5, 0.0, 0.0], [0.0, 1.5, 0.0], [-1.5, 0.0, 0.0], [0.0, -1.5, 0.0]])
    torch.testing.assert_close(prototypes.anchor_points(4, 3), square, atol=1e-6, rtol=0)


def test_anchor_loss_by_hand():
    bank = prototypes.DifferentialPrototypes(8, 4, 2, 8, 2)
    first_map = torch.tensor([[[1.0, 0, 0, 0], [0.5, 0, 0.5, 0]]])  # at (1.5, 0), then at the origin
    y = torch.tensor([[[1.5, 1.0], [0.0, math.nan]]])
    valid = torch.tensor([[True, True]])
    assert bank.anchor_loss(first_map, y, valid).item() == pytest.approx(1.0 / 3, abs=1e-5)  # errors 0, 1, 0 of three known


def test_affect_loss_by_hand():
    """Two modalities, the second absent at step 2, one target unknown at step 1: (1 + 4 + 9) / 3."""
    unimodal = torch.tensor([[[[1.0], [2.0]], [[3.0], [50.0]], [[7.0], [7.0]]]])
    mask = torch.tensor([[[True, True], [True, False], [True, True]]])
    y = torch.tensor([[[0.0], [0.0], [torch.nan]]])
    assert losses.affect_loss(unimodal, mask, y).item() == pytest.approx(14 / 3)


def test_info_nce_by_hand():
    """Orthogonal views, temperature 1: logits are the identity, loss log(1 + e^-1); windows of one trial are no negatives."""
    a = torch.eye(2)
    valid = torch.ones(2, dtype=torch.bool)
    loss = losses.info_nce(a, a, torch.tensor([0, 1]), valid, 1.0)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-1)))
    assert losses.info_nce(a, a, torch.tensor([5, 5]), valid, 1.0).item() == pytest.approx(0.0, abs=1e-6)
    assert losses.info_nce(a, a, torch.tensor([0, 1]), torch.tensor([True, False]), 1.0).item() == pytest.approx(0.0, abs=1e-6)


def test_losses_by_hand():
    # importance 1 and 3 over the two valid rows: (standard deviation 1 / mean 2)^2; the third row is padding
    combine, valid = torch.tensor([[0.5, 1.0], [0.5, 2.0], [9.0, 0.0]]), torch.tensor([True, True, False])
    assert losses.balance_loss(combine, valid).item() == pytest.approx(0.25)
    z = losses.router_z_loss(torch.tensor([[0.0, 0.0], [5.0, 5.0]]), torch.tensor([True, False]))
    assert z.item() == pytest.approx(math.log(2) ** 2)
    assert losses.diversity_loss(torch.eye(3)).item() == pytest.approx(0.0, abs=1e-6)
    assert losses.diversity_loss(torch.ones(3, 2)).item() == pytest.approx(1.0)
    y, p = torch.tensor([[1.0], [2.0], [3.0], [math.nan]]), torch.tensor([[2.0], [3.0], [4.0], [100.0]])
    assert losses.concordance_loss(p, y).item() == pytest.approx(1 - 4 / 7)
    assert losses.squared_error(p, y).item() == pytest.approx(1.0)


def test_concordance_loss_is_one_minus_the_metric():
    from himoe.stats.metrics import ccc

    rng = np.random.default_rng(0)
    y, p = rng.standard_normal((2, 50))
    loss = losses.concordance_loss(torch.tensor(p)[:, None], torch.tensor(y)[:, None]).item()
    assert 1 - loss == pytest.approx(ccc(y, p))


def test_padding_changes_no_valid_step():
    block = encoder.TransformerBlock(8, 2, 16).eval()
    z, valid = torch.randn(1, 6, 8), torch.tensor([[True] * 4 + [False] * 2])
    out = block(z, encoder.unseen_steps(valid))[:, :4]
    torch.testing.assert_close(out, block(z[:, :4], encoder.unseen_steps(valid[:, :4])))


def test_gathered_windows_take_each_modality_at_its_own_time():
    x, mask = torch.arange(10.0)[:, None].repeat(1, 3), torch.ones(10, 2, dtype=torch.bool)
    index = torch.tensor([[[4, 2], [5, 3]]])
    got, present = augment.gather_windows(x, mask, index, torch.ones(1, 2, 2, dtype=torch.bool), (1, 2))
    assert got.tolist() == [[[4, 2, 2], [5, 3, 3]]]
    assert present.all()


NONE = augment.Losses(0.0, 0.0, 0.0, 1.0, 0.0, 0)
KEYS = torch.tensor([1, 2])


def test_no_losses_where_none_are_asked_for():
    drawn = augment.draw_losses(KEYS, 50, 30, 3, NONE)
    assert drawn.keep.all()
    assert drawn.keep.shape == (2, 50, 30, 3)
    assert not drawn.shift.any()
    assert drawn.shift.shape == (2, 50, 3)


@pytest.mark.parametrize(
    ("losses", "lost"),
    [
        (NONE._replace(modality=0.3), 0.3),
        (NONE._replace(token=0.5), 0.25),  # a rate that is uniform up to a half
        # outages of mean 6 of 30 tokens that begin anywhere, those that reach the end cut: half of (1 - e^-30/6) 6/30 off 6/30
        (NONE._replace(gap=0.5, gap_tokens=6.0), 0.5 * (6 / 30 - (6 / 30) ** 2 * (1 - np.exp(-5)))),
    ],
)
def test_losses_are_as_many_as_asked_for(losses, lost):
    keep = augment.draw_losses(KEYS, 2000, 30, 3, losses).keep
    assert (~keep).float().mean() == pytest.approx(lost, abs=0.01)
    if losses.modality:
        assert (keep.all(2) | ~keep.any(2)).all()
    alone = augment.draw_losses(KEYS[1:], 2000, 30, 3, losses).keep  # a fold's noise does not depend on the folds beside it
    assert (alone == keep[1:]).all()


def test_shifts_are_uniform_and_as_many_as_asked_for():
    shift = augment.draw_losses(KEYS, 4000, 5, 3, NONE._replace(shift=0.5, largest=2)).shift.flatten()
    share = torch.bincount(shift + 2, minlength=5) / len(shift)
    torch.testing.assert_close(share, torch.tensor([0.1, 0.1, 0.6, 0.1, 0.1]), atol=0.01, rtol=0)


def test_linear_readout_is_ridge_by_hand():
    """x = -1, 0, 1; y = 2x + 1; penalty 2: the slope is 4 / (2 + 2) = 1, the mean is kept."""
    readout = LinearReadout((1,), 1, penalty=2.0)
    readout.warm_start(torch.tensor([[-1.0], [0.0], [1.0]]), torch.tensor([[-1.0], [1.0], [3.0]]))
    assert readout.linear.weight.item() == pytest.approx(1.0)
    assert readout.linear.bias.item() == pytest.approx(1.0)


def test_mean_readout_of_a_window_with_gaps_is_that_of_its_present_tokens():
    readout = LinearReadout((2, 1), 1, penalty=1.0)
    readout.warm_start(torch.randn(20, 3), torch.randn(20, 1))
    x, mask = torch.randn(1, 6, 3), torch.tensor([[[1, 1], [0, 1], [0, 1], [1, 0], [1, 0], [0, 0]]], dtype=torch.bool)
    means = torch.cat([x[0, [0, 3, 4], :2].mean(0), x[0, [0, 1, 2], 2:].mean(0)])
    torch.testing.assert_close(readout(x, mask).mean(1)[0], readout.linear(means))


class _Twice(nn.Module):
    """A network that says twice a weight, and a loss."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(3.0))

    def forward(self, batch):
        return Output(2 * self.weight * torch.ones(1, 2, 1), {"own": self.weight}, {})


def test_a_network_learns_alone_and_is_mixed_with_its_readout_afterwards():
    """y = 2 x + 1 of one row in training: the network's 6 and its loss are untouched, the read-out has no gradient. Mixed, one
    half and a quarter: 0.5 (2 x + 1) + 0.25 x 6, with x = 2: 2.5 + 1.5 = 4. Training's weights never reach the read-out."""
    model = WithReadout(_Twice(), (1,), 1, penalty=1e-9)
    model.readout.warm_start(torch.tensor([[-1.0], [0.0], [1.0]]), torch.tensor([[-1.0], [1.0], [3.0]]))
    batch = Batch(torch.full((1, 2, 1), 2.0), torch.ones(1, 2, 1, dtype=torch.bool), None, None, None)
    output = model.train()(batch)
    assert output.prediction.flatten().tolist() == [6, 6]
    (output.prediction.sum() + output.losses["own"]).backward()
    assert model.mix.grad is None
    assert model.readout.linear.weight.grad is None
    assert [name for name, _ in model.named_parameters()] == [
        "mix",
        "network.weight",
        "readout.linear.weight",
        "readout.linear.bias",
    ]
    flat = nn.utils.parameters_to_vector(
        [model.mix, model.network.weight, *(p + 9 for p in model.readout.parameters())]
    ).detach()
    mixed = model.mixed(flat, torch.tensor([[0.5], [0.25]]))
    nn.utils.vector_to_parameters(mixed, model.parameters())
    assert model.eval()(batch).prediction.flatten().tolist() == pytest.approx([4, 4])
