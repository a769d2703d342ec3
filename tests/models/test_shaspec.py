"""ShaSpec: features of absent modalities, gradients and the two auxiliary losses, against numbers worked by hand."""

from __future__ import annotations

import math

import pytest
import torch

from himoe.models import shaspec
from himoe.types import BuildContext
from tests.contract.networks import train_on
from tests.models.three_modalities import LAYOUT, batch_of, mask_of


@pytest.fixture
def model():
    torch.manual_seed(0)
    return shaspec.build(BuildContext(LAYOUT, 8), shaspec.Config(width=16))


def test_an_absent_modality_is_the_mean_of_the_shared_features_of_the_others(model):
    """Present ones have shared + projection of (shared, specific). Presence is per step."""
    mask = mask_of(True, False, True)
    mask[0, 3] = torch.tensor([True, True, False])
    shared, specific = model.eval().encode(*batch_of(mask)[:2])
    features = model.fuse(shared, specific, mask)
    torch.testing.assert_close(features[1, :, 1], (shared[1, :, 0] + shared[1, :, 2]) / 2)
    torch.testing.assert_close(features[0, 3, 2], (shared[0, 3, 0] + shared[0, 3, 1]) / 2)
    fused = shared[1, :, 0] + model.project(torch.cat([shared[1, :, 0], specific[1, :, 0]], -1))
    torch.testing.assert_close(features[1, :, 0], fused)


def test_where_nothing_is_present_features_are_zero(model):
    mask = mask_of(False, False, False)
    shared, specific = model.eval().encode(*batch_of(mask)[:2])
    assert not model.fuse(shared, specific, mask).any()


def test_one_encoder_is_shared_by_all_modalities(model):
    """The same token of any modality has the same shared feature; specific encoders have separate weights."""
    with torch.no_grad():
        for stem in model.stem.project:
            stem.weight.zero_()
            stem.bias.copy_(torch.arange(16.0))
        model.stem.embedding.zero_()
    mask = mask_of(True, True, True)
    shared, specific = model.eval().encode(*batch_of(mask)[:2])
    torch.testing.assert_close(shared[:, :, 0], shared[:, :, 1])
    torch.testing.assert_close(shared[:, :, 0], shared[:, :, 2])
    assert not torch.allclose(specific[:, :, 0], specific[:, :, 1])


def test_specific_encoders_of_absent_modalities_get_no_gradient(model):
    batch = batch_of(mask_of(True, False, True))
    output = train_on(model, batch)
    (output.prediction.square().mean() + sum(output.losses.values())).backward()
    encoder, d = model.specific, 16
    assert not encoder.project[1].weight.grad.any()
    for parameter in (encoder.embedding, encoder.pointwise[0]):
        assert not parameter.grad[1].any()
        assert parameter.grad[0].any()
        assert parameter.grad[2].any()
    assert not encoder.depthwise[0].grad[d : 2 * d].any()


def test_alignment_by_hand():
    """Width 2, shared features (0, 0), (1, 3), (5, 5) on the ring a-b-c-a: (1 + 3) / 2 = 2, (4 + 2) / 2 = 3, 5: 10 in all.
    Without c only a-b is left: 2. In both steps together a-b has the mean of two 2s: 10. One modality alone has no pair: 0."""
    shared = torch.tensor([[[[0.0, 0], [1, 3], [5, 5]]] * 2])
    mask = torch.tensor([[[True, True, True], [True, True, False]]])
    assert shaspec.alignment_loss(shared[:, :1], mask[:, :1]).item() == pytest.approx(10)
    assert shaspec.alignment_loss(shared[:, 1:], mask[:, 1:]).item() == pytest.approx(2)
    assert shaspec.alignment_loss(shared, mask).item() == pytest.approx(10)
    assert shaspec.alignment_loss(shared, mask_of(True, False, False, shape=(1, 2))).item() == 0


def test_classifying_the_modality_by_hand():
    """The feature of a has logits log (1, 1, 2): it is recognised with probability 1 / 4; that of b log (1, 3, 0): with 3 / 4;
    c is absent."""
    logits = torch.log(torch.tensor([[[[1.0, 1, 2], [1, 3, 1e-30], [1, 1, 1e-9]]]]))
    mask = torch.tensor([[[True, True, False]]])
    assert shaspec.domain_loss(logits, mask).item() == pytest.approx((math.log(4) + math.log(4 / 3)) / 2, rel=1e-5)
    assert shaspec.domain_loss(logits, ~mask & mask).item() == 0


def test_losses_are_weighted_and_computed_in_training_only(model):
    batch = batch_of(mask_of(True, True, True))
    assert model.eval()(batch).losses == {}
    with torch.no_grad():
        model.domain.weight.zero_()
        model.domain.bias.zero_()
    losses = train_on(model, batch).losses
    assert losses["domain"].item() == pytest.approx(0.02 * math.log(3), rel=1e-5)
    assert losses["align"].item() > 0


@pytest.mark.parametrize(("name", "part"), [("align", "shared"), ("domain", "specific")])
def test_each_loss_trains_its_encoder(model, name, part):
    train_on(model, batch_of(mask_of(True, True, True))).losses[name].backward()
    assert getattr(model, part).pointwise[0].grad.abs().sum() > 0
