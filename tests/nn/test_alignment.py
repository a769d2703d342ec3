"""Cross-modal alignment against numbers worked by hand and against planted lags."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from himoe.nn import alignment
from himoe.signal.simulate import ornstein_uhlenbeck

torch.manual_seed(0)
PRESENT = torch.ones(1, 4, 2, dtype=torch.bool)


def test_mean_of_others_by_hand():
    h = torch.tensor([1.0, 2, 6])[None, None, :, None]
    others, any_other = alignment.mean_of_others(h, torch.tensor([[[True, True, False]]]))
    assert others.flatten().tolist() == [2.0, 1.0, 1.5]
    assert any_other.flatten().tolist() == [True, True, True]
    _, alone = alignment.mean_of_others(h, torch.tensor([[[True, False, False]]]))
    assert alone.flatten().tolist() == [False, True, True]


def test_local_mean_by_hand():
    """Each token minus the mean of those present within one token of it; the absent one stays 0."""
    p = torch.tensor([1.0, 3.0, 0.0, 8.0, 10.0])[None, :, None, None]
    mask = torch.tensor([True, True, False, True, True])[None, :, None]
    assert alignment.remove_local_mean(p, mask, 1).flatten().tolist() == [-1.0, 1.0, 0.0, -1.0, 1.0]
    assert alignment.remove_local_mean(p, mask, 9).flatten().tolist() == [-4.5, -2.5, 0.0, 2.5, 4.5]


def scores(p, mask, max_lag):
    of = alignment.Spectra.of(p, mask, max_lag)
    return alignment.pair_scores(of, of)


def test_pair_scores_by_hand():
    """a = (1, 0, -1, 0), b the same a token later. At lag 1, b(t + 1) a(t) sums to 2 over 3 pairs: 2 / (3 + 8), in units of the
    mean squares 1/2 and 1/2; at lag 0 the products cancel; a is early relative to b."""
    p = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])[None, :, :, None]
    pairs = scores(p, PRESENT, 1)
    expected = torch.tensor([-1 / 11, 0, 2 / 11]) / 0.5
    torch.testing.assert_close(pairs[0, 1, 0], expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(pairs[0, 0, 1], expected.flip(0), atol=1e-5, rtol=0)
    assert pairs[0, [0, 1], [0, 1]].abs().max() == 0


def test_pair_scores_count_present_pairs():
    """The last token of b is lost: at lag 1 one product of 1 and two pairs are left; b's mean square is 1/3."""
    p = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 0.0]])[None, :, :, None]
    mask = PRESENT.clone()
    mask[0, 3, 1] = False
    pairs = scores(p, mask, 1)
    assert pairs[0, 1, 0, 2].item() == pytest.approx(1 / 10 / (1 / 3 / 2) ** 0.5, abs=1e-5)


def test_no_lags_at_all():
    """a . b = 2 over 4 pairs at lag 0, the one lag there is."""
    p = torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0], [0.0, 1.0]])[None, :, :, None]
    pairs = scores(p, PRESENT, 0)
    assert pairs.shape == (1, 2, 2, 1)
    assert pairs[0, 0, 1, 0].item() == pytest.approx(2 / 12 / 0.5**0.5, abs=1e-5)
    q = alignment.LagBank(0, 2, rest=3.0).estimate_jointly(pairs, torch.tensor([[1, 0]]), 2)
    assert q.flatten().tolist() == [1.0, 1.0]


def test_lag_scores_by_hand():
    """The other is late by 1 with probability 1: a match at relative lag 0 counts at lag 1; with 1/2, half of it."""
    pairs = torch.zeros(1, 2, 2, 3)
    pairs[0, 0, 1] = torch.tensor([0.0, 4.0, 2.0])
    certain = torch.tensor([[[0.0, 1, 0], [0.0, 0, 1]]])
    assert alignment.lag_scores(pairs, certain)[0].tolist() == [[0.0, 0.0, 4.0], [0.0, 0.0, 0.0]]
    half = torch.tensor([[[0.0, 1, 0], [0.0, 0.5, 0.5]]])
    assert alignment.lag_scores(pairs, half)[0, 0].tolist() == [0.0, 2.0, 3.0]


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
    pairs = scores(moved, moved_mask, 8)
    by_lag = alignment.lag_scores(pairs, (torch.arange(-8, 9) == 0).float().expand(4, 3, -1))
    assert (by_lag[:, 0].argmax(-1) - 8).tolist() == [shift] * 4


def delayed(late, absent=()):
    """40 windows of modalities that share a signal (decay 2 s at 2 Hz, SNR 1, a fifth of the tokens missing), late by whole
    tokens: pair scores, presence, and the order of the coordinate updates."""
    rng = np.random.default_rng(6)
    base = ornstein_uhlenbeck((40, 4, 120 * 4), 2.0, rng)[..., ::4]
    p = np.stack([np.moveaxis(base[..., 10 - k : 110 - k], 1, 2) for k in late], axis=2)
    mask = torch.tensor(rng.random(p.shape[:3]) > 0.2)
    mask[:, :, list(absent)] = False
    p = alignment.remove_local_mean(torch.tensor(p + rng.standard_normal(p.shape), dtype=torch.float32), mask, 16)
    return scores(p, mask, 16), mask.any(1), alignment.mean_power(p, mask).argsort(dim=1, stable=True)


@pytest.mark.parametrize("sharpness", [3.5, 4.5])
@pytest.mark.parametrize(
    ("late", "absent"),
    [
        *(((6, 0, 0, 0, 0, 0), ()), ((6, -6, 6, 0, 0, 0), ()), ((-5, 2, 7, -1, 4, -7), ())),  # one, half, all
        *(
            ((6, 0), ()),
            ((6, -2), ()),
            ((5, 5, 0, 0), ()),
            ((6, 6, 6, 0, 0, 0), ()),
            ((6, 0, 0, 0, 0, 0), (2, 3, 4, 5)),
        ),
    ],
)
def test_lags_of_all_modalities_are_estimated_jointly(late, absent, sharpness):
    """Nine in ten relative lags are found to within a token, also where two, or two halves, differ and either may be late."""
    pairs, present, order = delayed(late, absent)
    bank = alignment.LagBank(16, len(late), rest=3.0)
    missed = []
    with torch.no_grad():
        bank.log_sharpness.fill_(sharpness)
    for n_passes in (0, 6):
        _, lag = bank.posterior(alignment.lag_scores(pairs, bank.estimate_jointly(pairs, order, n_passes)))
        error = torch.where(present, lag - torch.tensor(late), torch.nan)
        missed.append(((error - error.nanmedian(1, keepdim=True).values).abs() > 1)[present].float().mean().item())
    assert missed[1] < 0.1
    assert missed[0] >= 0.5 or len(late) - len(absent) > 2  # two updated at once correct their lag twice


def softmax(*logits):
    return np.exp(logits) / np.exp(logits).sum()


def test_coordinate_updates_by_hand():
    """Two modalities, lags -1, 0, 1; they match where the first is late by 1 relative to the second (score 2). In the first of
    two passes scores count half: the first is updated with the second at lag 0; then the second, which matches at lag k where
    the first is at k + 1. In the second pass they count in full."""
    bank = alignment.LagBank(1, 2, rest=0.0)
    with torch.no_grad():
        bank.log_sharpness.fill_(0.0)
        bank.log_prior.zero_()
    pairs = torch.zeros(1, 2, 2, 3)
    pairs[0, 0, 1], pairs[0, 1, 0] = torch.tensor([0.0, 0.0, 2.0]), torch.tensor([2.0, 0.0, 0.0])
    first = softmax(0, 0, 1)
    second = softmax(first[1], first[2], 0)
    first = softmax(0, 2 * second[0], 2 * second[1])
    second = softmax(2 * first[1], 2 * first[2], 0)
    q = bank.estimate_jointly(pairs, torch.tensor([[0, 1]]), 2)[0]
    np.testing.assert_allclose(q, np.stack([first, second]), atol=1e-6)


def test_a_common_lag_is_left_to_the_prior():
    """All six late alike: no pair shows it, and by the prior in favour of no lag they stay where they are."""
    pairs, _, order = delayed((6,) * 6)
    bank = alignment.LagBank(16, 6, rest=3.0)
    q = bank.estimate_jointly(pairs, order, 6)
    assert ((q * torch.arange(-16, 17)).sum(-1).abs() < 1).float().mean() > 0.95


def test_soft_shift_undoes_a_known_lag():
    """All weight on lag 2: h'(t) = h(t + 2), absent where t + 2 is outside or was absent."""
    bank = alignment.LagBank(3, 1, rest=0.0)
    h = torch.arange(6.0)[None, :, None, None]
    mask = torch.ones(1, 6, 1, dtype=torch.bool)
    mask[0, 3] = False
    q = torch.zeros(1, 1, 7)
    q[..., 5] = 1.0
    moved, kept = bank.shift(h * mask.unsqueeze(-1), mask, q, alignment.lag_indicator(6, 3))
    assert kept.flatten().tolist() == [True, False, True, True, False, False]
    torch.testing.assert_close(moved.flatten(), torch.tensor([2.0, 0, 4, 5, 0, 0]))


def test_expected_lag_by_hand():
    """Evidence in the ratio 1 : 1 : 2. The prior (ln 3 in favour of lag 0) makes it 1 : 3 : 2 in the posterior alone."""
    bank = alignment.LagBank(1, 1, rest=0.0)
    with torch.no_grad():
        bank.log_sharpness.fill_(0.0)
        bank.log_prior.copy_(torch.log(torch.tensor([[1.0, 3.0, 1.0]])) / alignment.PRIOR_UNIT)
    scores = torch.log(torch.tensor([[[1.0, 1.0, 2.0]]]))
    q, lag = bank.evidence(scores)
    torch.testing.assert_close(q, torch.tensor([[[0.25, 0.25, 0.5]]]))
    assert lag.item() == pytest.approx(0.25)
    q, lag = bank.posterior(scores)
    torch.testing.assert_close(q, torch.tensor([[[1 / 6, 3 / 6, 2 / 6]]]))
    assert lag.item() == pytest.approx(1 / 6)


def test_the_prior_begins_in_favour_of_no_lag():
    """Log-odds ``rest`` for lag 0, a tenth of a nat against each token of lag."""
    log_prior = alignment.PRIOR_UNIT * alignment.LagBank(2, 3, rest=3.0).log_prior
    torch.testing.assert_close(log_prior, torch.tensor([-0.2, -0.1, 3.0, -0.1, -0.2]).repeat(3, 1))


def test_local_attention_reaches_no_further_than_its_radius():
    layer = alignment.LocalCrossAttention(8, 2, radius=1.0, token_rate=2.0)
    h, mask, time = torch.randn(1, 9, 2, 8), torch.ones(1, 9, 2, dtype=torch.bool), torch.arange(9.0)[None] / 2
    changed = h.clone()
    changed[0, 8] = torch.randn(2, 8)
    moved = (layer(changed, mask, time) - layer(h, mask, time)).abs().sum((2, 3))[0] > 1e-6
    assert moved.tolist() == [False] * 6 + [True] * 3
