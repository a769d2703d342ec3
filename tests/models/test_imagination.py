"""Imagination: hidden modalities, imagined embeddings and the loss, against numbers worked by hand."""

from __future__ import annotations

import pytest
import torch

from himoe.models import imagination
from himoe.nn import noise
from himoe.types import BuildContext
from tests.contract.networks import train_on
from tests.models.three_modalities import LAYOUT, batch_of, mask_of


@pytest.fixture
def model():
    torch.manual_seed(0)
    return imagination.build(BuildContext(LAYOUT, 8), imagination.Config(width=16, dropout=0))


def test_one_present_modality_is_hidden_and_never_the_last():
    """300 windows: of two or three present modalities each is hidden about as often, an absent one never; of fewer, none."""
    for present in ((True, True, False), (True, False, True), (True, True, True)):
        hidden = imagination.hide(torch.tensor(5), mask_of(*present, shape=(300, 4)))
        assert (hidden.sum(1) == 1).all()
        share = hidden.float().mean(0)
        assert not share[~torch.tensor(present)].any()
        torch.testing.assert_close(share[list(present)], torch.full((sum(present),), 1 / sum(present)), atol=0.1, rtol=0)
    for present in ((False, True, False), (False, False, False)):
        assert not imagination.hide(torch.tensor(5), mask_of(*present)).any()


def test_a_modality_present_at_one_step_may_be_hidden():
    mask = mask_of(True, False, False, shape=(100, 4))
    mask[:, 2, 1] = True
    hidden = imagination.hide(torch.tensor(1), mask)
    assert hidden[:, 1].any()
    assert not hidden[:, 2].any()


def test_imagination_reads_present_modalities_only(model):
    h, mask = torch.randn(2, 8, 3, 16), mask_of(True, False, True)
    present_changed, absent_changed = h.clone(), h.clone()
    present_changed[:, :, 2] += 1
    absent_changed[:, :, 1] = torch.nan
    results = (model.cascade(x, mask) for x in (h, absent_changed, present_changed))
    for before, same, other in zip(*results, strict=True):
        assert torch.equal(before, same)
        assert not torch.allclose(before, other)


def test_bottlenecks_are_summed(model):
    """Encoders with outputs 1, 2 and 3, whatever their input: gelu(1) + gelu(2) + gelu(3) in every dimension."""
    with torch.no_grad():
        for n, encode in enumerate(model.cascade.encode, 1):
            encode.weight.zero_()
            encode.bias.fill_(float(n))
    _, total = model.cascade(torch.randn(2, 8, 3, 16), mask_of(True, False, True))
    expected = torch.nn.functional.gelu(torch.tensor([1.0, 2.0, 3.0])).sum()
    torch.testing.assert_close(total, expected.expand(2, 8, 16))


def test_cascade_is_residual(model):
    """Decoders of 0 pass the joint embedding on: real where present, the modality's token where absent; one of 2 adds 2."""
    with torch.no_grad():
        for decode in model.cascade.decode:
            decode.weight.zero_()
            decode.bias.zero_()
        model.cascade.decode[1].bias.fill_(2.0)
    h, mask = torch.randn(2, 8, 3, 16), mask_of(True, False, True)
    imagined, _ = model.cascade(h, mask)
    torch.testing.assert_close(imagined[:, :, 0], h[:, :, 0] + 2)
    torch.testing.assert_close(imagined[:, :, 1], (model.cascade.token[1] + 2).expand(2, 8, 16))


def test_loss_by_hand():
    """Width 2: (3, 4) imagined for (0, 0) is (9 + 16) / 2 = 12.5, (1, 1) for (1, 1) is 0: mean 6.25; the third is not
    hidden."""
    imagined = torch.tensor([[[[3.0, 4], [1, 1], [7, 7]]]], requires_grad=True)
    real = torch.tensor([[[[0.0, 0], [1, 1], [0, 0]]]], requires_grad=True)
    hidden = torch.tensor([[[True, True, False]]])
    loss = imagination.imagination_loss(imagined, real, hidden)
    assert loss.item() == pytest.approx(6.25)
    loss.backward()
    assert real.grad is None
    assert imagination.imagination_loss(real, real, hidden).item() == 0
    assert imagination.imagination_loss(imagined, real, ~hidden & hidden).item() == 0


def test_training_predicts_without_the_hidden_modality(model):
    batch = batch_of(mask_of(True, True, False, shape=(6, 8)))
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
