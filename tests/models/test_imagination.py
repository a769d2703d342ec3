"""Imagination: what is hidden, what is imagined, what the loss says, against numbers worked by hand."""

from __future__ import annotations

import pytest
import torch

from himoe.models import imagination
from himoe.nn import noise
from himoe.types import Batch, BuildContext, Layout
from tests.contract.networks import train_on

LAYOUT = Layout(("a", "b", "c"), (("a0", "a1", "a2"), ("b0", "b1"), ("c0",)), ("valence", "arousal"), 2.0, False)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return imagination.build(BuildContext(LAYOUT, 8), imagination.Config(width=16, dropout=0))


def batch_of(mask):
    torch.manual_seed(1)
    b, t = mask.shape[:2]
    time, y = torch.arange(t).expand(b, t) / 2, torch.randn(b, t, 2)
    return Batch(torch.randn(b, t, 6), mask, time, torch.ones(b, t, dtype=torch.bool), torch.arange(b), y)


def present(*there, shape=(2, 8)):
    return torch.tensor(there).expand(*shape, 3).clone()


def test_one_present_modality_is_hidden_and_never_the_last():
    """300 windows each: two of three there: each of them is hidden about as often, the absent one never; fewer: none is."""
    for there in ((True, True, False), (True, False, True), (True, True, True)):
        hidden = imagination.hide(torch.tensor(5), present(*there, shape=(300, 4)))
        assert (hidden.sum(1) == 1).all()
        share = hidden.float().mean(0)
        assert not share[~torch.tensor(there)].any()
        torch.testing.assert_close(share[list(there)], torch.full((sum(there),), 1 / sum(there)), atol=0.1, rtol=0)
    for there in ((False, True, False), (False, False, False)):
        assert not imagination.hide(torch.tensor(5), present(*there)).any()


def test_a_modality_counts_as_there_if_it_is_at_one_step():
    mask = present(True, False, False, shape=(100, 4))
    mask[:, 2, 1] = True
    hidden = imagination.hide(torch.tensor(1), mask)
    assert hidden[:, 1].any()
    assert not hidden[:, 2].any()


def test_imagination_reads_what_is_present_and_nothing_else(model):
    h, mask = torch.randn(2, 8, 3, 16), present(True, False, True)
    there, gone = h.clone(), h.clone()
    there[:, :, 2] += 1
    gone[:, :, 1] = torch.nan
    for own, same, other in zip(model.cascade(h, mask), model.cascade(gone, mask), model.cascade(there, mask), strict=True):
        assert torch.equal(own, same)
        assert not torch.allclose(own, other)


def test_bottlenecks_are_summed(model):
    """Encoders that say 1, 2 and 3 whatever they read: gelu(1) + gelu(2) + gelu(3) in every dimension."""
    with torch.no_grad():
        for n, encode in enumerate(model.cascade.encode, 1):
            encode.weight.zero_()
            encode.bias.fill_(float(n))
    _, total = model.cascade(torch.randn(2, 8, 3, 16), present(True, False, True))
    expected = torch.nn.functional.gelu(torch.tensor([1.0, 2.0, 3.0])).sum()
    torch.testing.assert_close(total, expected.expand(2, 8, 16))


def test_cascade_is_residual(model):
    """Decoders that say nothing hand the joint embedding on: real where present, the modality's token where not."""
    with torch.no_grad():
        for decode in model.cascade.decode:
            decode.weight.zero_()
            decode.bias.zero_()
        model.cascade.decode[1].bias.fill_(2.0)
    h, mask = torch.randn(2, 8, 3, 16), present(True, False, True)
    imagined, _ = model.cascade(h, mask)
    torch.testing.assert_close(imagined[:, :, 0], h[:, :, 0] + 2)
    torch.testing.assert_close(imagined[:, :, 1], (model.cascade.token[1] + 2).expand(2, 8, 16))


def test_loss_by_hand():
    """Width 2: (3, 4) imagined for (0, 0) is (9 + 16) / 2 = 12.5, (1, 1) for (1, 1) is 0: mean 6.25; the third was there."""
    imagined = torch.tensor([[[[3.0, 4], [1, 1], [7, 7]]]], requires_grad=True)
    real = torch.tensor([[[[0.0, 0], [1, 1], [0, 0]]]], requires_grad=True)
    hidden = torch.tensor([[[True, True, False]]])
    loss = imagination.imagination_loss(imagined, real, hidden)
    assert loss.item() == pytest.approx(6.25)
    loss.backward()
    assert real.grad is None
    assert imagination.imagination_loss(real, real, hidden).item() == 0
    assert imagination.imagination_loss(imagined, real, ~hidden & hidden).item() == 0


def test_training_predicts_without_what_it_hides_and_pays_for_it_alone(model):
    batch = batch_of(present(True, True, False, shape=(6, 8)))
    batch.mask[:, 5, 0] = False
    with noise.keyed(torch.tensor(0)):
        hidden = imagination.hide(noise.draw(), batch.mask).unsqueeze(1) & batch.mask
    h = model.encoder(batch.x, batch.mask)
    imagined, _ = model.cascade(h, batch.mask & ~hidden)
    output = train_on(model, batch)
    expected = (imagined - h).square().mean(-1)[hidden].mean()
    torch.testing.assert_close(output.losses["imagination"], expected)
    seen = model.eval()(batch._replace(mask=batch.mask & ~hidden)).prediction
    torch.testing.assert_close(output.prediction, seen)  # no dropout here
    assert model(batch).losses == {}
