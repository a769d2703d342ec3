"""EEGNet: the published layers; spatial filters before temporal ones are the same map."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from himoe.models import eegnet
from himoe.types import Batch, BuildContext, HimoeError, Layout


def network(n_chans=32, n_samples=64, rate=2.0, **options):
    torch.manual_seed(0)
    names = tuple(f"c{i} {k}" for i in range(n_chans) for k in range(n_samples))
    layout = Layout(("eeg",), (names,), ("valence", "arousal"), rate, False)
    return eegnet.build(BuildContext(layout, 8), eegnet.Config(**options)).eval()


def test_layers_have_the_published_shapes():
    """128 Hz: temporal filters of 64 samples, 8 of them, 2 spatial filters of 32 channels each, separable 16 then 16 to 16.
    Parameters: 8 64 + 16 32 + 16 16 + 16 16 + 2 (16 + 16) + 3 16 + 2 16 + 2 = 1,682."""
    model = network()
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    assert shapes["temporal"] == (8, 1, 64)
    assert shapes["spatial"] == (8, 2, 32)
    assert shapes["depthwise"] == (16, 1, 16)
    assert shapes["pointwise"] == (16, 16)
    assert sum(p.numel() for p in model.parameters()) == 1682


def test_space_first_is_time_first():
    """As published: a convolution over time for every channel, then over channels for each of its maps."""
    model, x = network(4, 8, 2.0), torch.randn(3, 4, 48)
    time_first = F.conv2d(F.pad(x.unsqueeze(1), (3, 4)), model.temporal.unsqueeze(1))  # (B, F1, C, n), kernel 8
    spatial = model.spatial / model.spatial.norm(dim=-1, keepdim=True).clamp(min=1)
    published = F.conv2d(time_first, spatial.flatten(0, 1)[:, None, :, None], groups=8).squeeze(2)
    torch.testing.assert_close(model.filtered(x), published, atol=1e-5, rtol=1e-4)


def test_spatial_filters_have_norms_of_one_at_most():
    model, x = network(4, 8, 2.0), torch.randn(1, 4, 16)
    before = model.filtered(x)
    with torch.no_grad():
        model.spatial.div_(model.spatial.norm(dim=-1, keepdim=True)).mul_(5)
    large = model.filtered(x)
    with torch.no_grad():
        model.spatial.div_(5)
    torch.testing.assert_close(large, model.filtered(x))
    assert not torch.equal(before, large)


def test_samples_are_read_in_their_order():
    """An impulse in channel 1 at sample 3 of token 2 is sample 19 at 8 per token: the first map is the filter around it."""
    model = network(2, 8, 2.0)
    x = torch.zeros(1, 4, 2, 8)
    x[0, 2, 1, 3] = 1.0
    maps = model.filtered(x.transpose(1, 2).flatten(2))[0, 0]
    gain = model.spatial[0, 0, 1] / model.spatial[0, 0].norm().clamp(min=1)
    expected = torch.zeros(32)
    expected[19 - 4 : 19 + 4] = gain * model.temporal[0, 0].flip(0)  # kernel 8: 4 samples before, 3 after it
    torch.testing.assert_close(maps, expected)


def test_a_lost_token_is_the_learnt_constant():
    model = network(2, 8, 2.0)
    with torch.no_grad():
        model.absent.copy_(torch.arange(16.0))
    mask = torch.tensor([[[True], [False], [True]]])
    ones = torch.ones(1, 3)
    batch = Batch(torch.randn(1, 3, 16), mask, ones, ones.bool(), torch.zeros(1, dtype=torch.int64))
    expected = model.out(model.gain * (torch.arange(16.0) - model.centre))
    torch.testing.assert_close(model(batch).prediction[0, 1], expected)


def test_unsuitable_layouts_and_settings_are_refused():
    with pytest.raises(HimoeError, match="eegnet: 6 samples per token are not a multiple of 4"):
        network(2, 6)
    with pytest.raises(ValueError, match="n_spatial 3 does not divide width 16"):
        network(2, 8, n_spatial=3)
