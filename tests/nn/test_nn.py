"""Parts of the model against numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from himoe.nn import alignment, augment, encoder, losses, prototypes, soft_moe
from himoe.nn.readout import LinearReadout

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


def test_fusion_gives_nothing_to_the_absent():
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
    felt = bank(torch.randn(3, 5, 8))
    assert felt.lam.item() == pytest.approx(0.5)
    torch.testing.assert_close(felt.weights.sum(-1), torch.full((3, 5), 0.5))
    torch.testing.assert_close(felt.first.sum(-1), torch.ones(3, 5))


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
    torch.testing.assert_close(prototypes.anchors(3, 1), torch.tensor([[-1.5], [0.0], [1.5]]))
    square = torch.tensor([[1.5, 0.0, 0.0], [0.0, 1.5, 0.0], [-1.5, 0.0, 0.0], [0.0, -1.5, 0.0]])
    torch.testing.assert_close(prototypes.anchors(4, 3), square, atol=1e-6, rtol=0)


def test_anchor_loss_by_hand():
    bank = prototypes.DifferentialPrototypes(8, 4, 2, 8, 2)
    first = torch.tensor([[[1.0, 0, 0, 0], [0.5, 0, 0.5, 0]]])  # at (1.5, 0), then at the origin
    y = torch.tensor([[[1.5, 1.0], [0.0, math.nan]]])
    valid = torch.tensor([[True, True]])
    assert bank.anchor_loss(first, y, valid).item() == pytest.approx(1.0 / 3, abs=1e-5)  # errors 0, 1, 0 of three known


def test_mean_of_others_by_hand():
    h = torch.tensor([1.0, 2, 6])[None, None, :, None]
    others, there = alignment.mean_of_others(h, torch.tensor([[[True, True, False]]]))
    assert others.flatten().tolist() == [2.0, 1.0, 1.5]
    assert there.flatten().tolist() == [True, True, True]
    _, alone = alignment.mean_of_others(h, torch.tensor([[[True, False, False]]]))
    assert alone.flatten().tolist() == [False, True, True]


@pytest.mark.parametrize("shift", [-5, -1, 0, 3, 6])
def test_lag_scores_peak_at_the_planted_lag(shift):
    """One of three modalities is delayed; noise of equal power; a fifth of all tokens missing."""
    rng = torch.Generator().manual_seed(1)
    white = torch.randn(4, 83, 1, 3, generator=rng)
    base = (white[:, :80] + white[:, 1:81] + white[:, 2:82] + white[:, 3:]) / 2  # unit variance, a token wide
    p = base.expand(-1, -1, 3, -1) + torch.randn(4, 80, 3, 3, generator=rng)
    mask = torch.rand(4, 80, 3, generator=rng) > 0.2
    delay = torch.zeros(4, 3, dtype=torch.long)
    delay[:, 0] = shift
    moved, moved_mask = alignment.shift_tokens(p * mask.unsqueeze(-1), mask, delay)
    others, there = alignment.mean_of_others(moved, moved_mask)
    scores = alignment.lag_scores(moved, others, moved_mask, there, alignment.lag_design(80, 8))
    assert (scores[:, 0].argmax(-1) - 8).tolist() == [shift] * 4


def test_soft_shift_undoes_a_known_lag():
    """All weight on lag 2: h'(t) = h(t + 2), absent where t + 2 is outside or was absent."""
    bank = alignment.LagBank(3, 1, rest=0.0)
    h = torch.arange(6.0)[None, :, None, None]
    mask = torch.ones(1, 6, 1, dtype=torch.bool)
    mask[0, 3] = False
    w = torch.zeros(1, 1, 7)
    w[..., 5] = 1.0
    moved, kept = bank.shift(h * mask.unsqueeze(-1), mask, w, alignment.lag_design(6, 3))
    assert kept.flatten().tolist() == [True, False, True, True, False, False]
    torch.testing.assert_close(moved.flatten(), torch.tensor([2.0, 0, 4, 5, 0, 0]))


def test_expected_lag_by_hand():
    """Evidence: 1, 1, 2 parts. The habit (ln 3 in favour of lag 0) makes it 1, 3, 2 in the posterior alone."""
    bank = alignment.LagBank(1, 1, rest=0.0)
    with torch.no_grad():
        bank.sharpness.fill_(0.0)
        bank.habit.copy_(torch.log(torch.tensor([[1.0, 3.0, 1.0]])) / alignment.HABIT_UNIT)
    scores = torch.log(torch.tensor([[[1.0, 1.0, 2.0]]]))
    w, lag = bank.evidence(scores)
    torch.testing.assert_close(w, torch.tensor([[[0.25, 0.25, 0.5]]]))
    assert lag.item() == pytest.approx(0.25)
    w, lag = bank.posterior(scores)
    torch.testing.assert_close(w, torch.tensor([[[1 / 6, 3 / 6, 2 / 6]]]))
    assert lag.item() == pytest.approx(1 / 6)


def test_habit_begins_in_time():
    """``rest`` nats for lag 0, a tenth of a nat against each token of lag."""
    habit = alignment.HABIT_UNIT * alignment.LagBank(2, 3, rest=3.0).habit
    torch.testing.assert_close(habit, torch.tensor([-0.2, -0.1, 3.0, -0.1, -0.2]).repeat(3, 1))


def test_consensus_is_not_drawn_by_who_is_late():
    """One of four modalities 6 tokens late: against the plain mean of others the three in time seem early; after two more
    passes they do not, and the late one is found."""
    bank, (p, mask) = alignment.LagBank(10, 4, rest=3.0), late_by_six()
    design = alignment.lag_design(60, 10)
    found = {}
    for name, (reference, there) in {
        "plain": alignment.mean_of_others(p, mask), "consensus": bank.consensus(p, mask, mask[..., 0], design, 2)
    }.items():  # fmt: skip
        found[name] = bank.evidence(alignment.lag_scores(p, reference, mask, there, design))[1].median(0).values
    assert abs(found["consensus"][0] - 6) < 0.5
    assert found["consensus"][1:].abs().max() < 0.25
    assert found["plain"][1:].abs().max() > 2 * found["consensus"][1:].abs().max()


def late_by_six() -> tuple[torch.Tensor, torch.Tensor]:
    """(p, mask) of 40 windows of four modalities that share a movement (decay 4 s at 2 Hz, SNR 4); the first is late by 6."""
    from himoe.signal.simulate import ornstein_uhlenbeck

    rng = np.random.default_rng(6)
    base = ornstein_uhlenbeck((40, 4, 80 * 4), 4.0, rng)[..., ::4]
    p = np.stack([np.moveaxis(base[..., 10 - k : 70 - k], 1, 2) for k in (6, 0, 0, 0)], axis=2)
    p = torch.tensor(p + 0.5 * rng.standard_normal(p.shape), dtype=torch.float32)
    return p, torch.ones(p.shape[:3], dtype=torch.bool)


def test_affect_loss_by_hand():
    """Two modalities, the second absent at step 2, one target unknown at step 1: (1 + 4 + 9) / 3."""
    said = torch.tensor([[[[1.0], [2.0]], [[3.0], [50.0]], [[7.0], [7.0]]]])
    mask = torch.tensor([[[True, True], [True, False], [True, True]]])
    y = torch.tensor([[[0.0], [0.0], [torch.nan]]])
    assert losses.affect_loss(said, mask, y).item() == pytest.approx(14 / 3)


def test_local_attention_reaches_no_further_than_its_radius():
    layer = alignment.LocalCrossAttention(8, 2, radius=1.0, token_rate=2.0)
    h, mask, time = torch.randn(1, 9, 2, 8), torch.ones(1, 9, 2, dtype=torch.bool), torch.arange(9.0)[None] / 2
    changed = h.clone()
    changed[0, 8] = torch.randn(2, 8)
    moved = (layer(changed, mask, time) - layer(h, mask, time)).abs().sum((2, 3))[0] > 1e-6
    assert moved.tolist() == [False] * 6 + [True] * 3


def test_info_nce_by_hand():
    """Orthogonal views, temperature 1: logits are the identity, loss log(1 + e^-1); same-trial negatives count for nothing."""
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
    out = block(z, valid)[:, :4]
    torch.testing.assert_close(out, block(z[:, :4], valid[:, :4]))


def test_gathered_windows_take_each_modality_at_its_own_time():
    x, mask = torch.arange(10.0)[:, None].repeat(1, 3), torch.ones(10, 2, dtype=torch.bool)
    index = torch.tensor([[[4, 2], [5, 3]]])
    got, present = augment.gather_windows(x, mask, index, torch.ones(1, 2, 2, dtype=torch.bool), (1, 2))
    assert got.tolist() == [[[4, 2, 2], [5, 3, 3]]]
    assert present.all()


def test_dropping_only_removes():
    g = torch.Generator().manual_seed(0)
    mask, keys = torch.rand(2, 50, 30, 3, generator=g) > 0.3, torch.tensor([1, 2])
    kept = augment.drop_tokens(mask, 0.3, 0.5, 0.5, 6.0, keys)
    assert not (kept & ~mask).any()
    gone = 1 - kept.any(2).float().mean()
    assert 0.2 < gone < 0.45
    assert (augment.drop_tokens(mask, 0.0, 0.0, 0.0, 1.0, keys) == mask).all()
    # each fold's noise is its own and does not depend on who is beside it
    alone = augment.drop_tokens(mask[1:], 0.3, 0.5, 0.5, 6.0, keys[1:])
    assert (alone == kept[1:]).all()


def test_linear_readout_is_ridge_by_hand():
    """x = -1, 0, 1; y = 2x + 1; penalty 2: the slope is 4 / (2 + 2) = 1, the mean is kept."""
    readout = LinearReadout((1,), 1, penalty=2.0)
    readout.warm_start(torch.tensor([[-1.0], [0.0], [1.0]]), torch.tensor([[-1.0], [1.0], [3.0]]))
    assert readout.linear.weight.item() == pytest.approx(1.0)
    assert readout.linear.bias.item() == pytest.approx(1.0)


def test_readout_of_a_gappy_window_is_that_of_what_is_present():
    readout = LinearReadout((2, 1), 1, penalty=1.0)
    readout.warm_start(torch.randn(20, 3), torch.randn(20, 1))
    x, mask = torch.randn(1, 6, 3), torch.tensor([[[1, 1], [0, 1], [0, 1], [1, 0], [1, 0], [0, 0]]], dtype=torch.bool)
    means = torch.cat([x[0, [0, 3, 4], :2].mean(0), x[0, [0, 1, 2], 2:].mean(0)])
    torch.testing.assert_close(readout(x, mask).mean(1)[0], readout.linear(means))


@pytest.mark.parametrize("shift", [1, 2, 4, 8])
def test_a_fresh_lag_bank_recovers_lags(shift):
    """Correlated modalities (decay 8 s at 2 Hz, SNR 1, a fifth of the tokens missing): within a token or two."""
    from himoe.signal.simulate import ornstein_uhlenbeck

    rng = np.random.default_rng(shift)
    base = ornstein_uhlenbeck((40, 4, 80 * 4), 8.0, rng)[..., ::4]
    late = [shift, 0, 0, 0]
    p = np.stack([np.moveaxis(base[..., 10 - k : 70 - k], 1, 2) for k in late], axis=2)
    p = torch.tensor(p + rng.standard_normal(p.shape), dtype=torch.float32)
    mask = torch.tensor(rng.random(p.shape[:3]) > 0.2)
    others, there = alignment.mean_of_others(p * mask.unsqueeze(-1), mask)
    bank = alignment.LagBank(10, 4, rest=3.0)
    _, lag = bank.evidence(alignment.lag_scores(p, others, mask, there, alignment.lag_design(60, 10)))
    assert (lag[:, 0] - shift).abs().median() < 1.5
    assert lag[:, 1:].abs().median() < 1.5
