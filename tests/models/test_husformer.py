"""Husformer: attention to the tokens of all modalities, worked by hand; the order of modalities does not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from himoe.models import husformer
from himoe.types import BuildContext
from tests.conftest import make_tokens
from tests.contract.networks import batch_of


def made(layout=None, seed=0, **options):
    torch.manual_seed(seed)
    return husformer.build(BuildContext(layout or make_tokens().layout, 24), husformer.Config(width=8, **options)).eval()


def test_the_fusion_signal_by_hand():
    """Queries of 0 weigh all present tokens equally. Their tokens are s, -s and s (mean 0, variance 1: unchanged by
    normalisation), the fourth is absent: both modalities get (s - s + s) / 3 at both steps, also the one that lost a token."""
    model, s = made(n_heads=1), torch.tensor([1.0, -1] * 4)
    [block] = model.cross
    with torch.no_grad():
        block.weight["query"].zero_()
        block.weight["down"].zero_()
        for name in ("value", "out"):
            block.weight[name].copy_(torch.eye(8))
    low = torch.stack([s, -s, s, 9 * s]).unflatten(0, (2, 1, 2))  # (M, B, T, d)
    mask = torch.tensor([[[True, True], [True, False]]])  # (B, T, M)
    added = model.reinforce(low, mask) - low
    torch.testing.assert_close(added, (s / 3).expand(2, 1, 2, 8), atol=1e-4, rtol=0)


@pytest.mark.parametrize("n_layers", [1, 2])
def test_a_reinforced_token_depends_on_all_present_tokens(n_layers):
    """Of both modalities, at all times, but not on lost tokens, in every block."""
    model = made(n_layers=n_layers)
    low, mask = torch.randn(2, 1, 5, 8, requires_grad=True), torch.ones(1, 5, 2, dtype=torch.bool)
    mask[0, 3, 0] = mask[0, 1, 1] = False
    part = model.reinforce(low, mask)[0, 0, 2] * torch.arange(8)
    [gradient] = torch.autograd.grad(part.sum(), low)
    assert ((gradient[:, 0].abs().sum(-1) > 0) == mask[0].T).all()


def reordered(state, d):
    """Parameters of a model of the modalities b, a from those of a, b."""
    out = {}
    for name, p in state.items():
        if name.startswith("encoder.project"):
            out[name.replace(".0.", ".x.").replace(".1.", ".0.").replace(".x.", ".1.")] = p
        elif "depthwise" in name:
            out[name] = p.unflatten(0, (2, d)).flip(0).flatten(0, 1)
        else:
            out[name] = p.flip(0) if name.startswith(("encoder", "cross")) else p
    return out


def test_the_order_of_modalities_does_not_matter():
    data = make_tokens()
    layout, batch = data.layout, batch_of(data)._replace(y=None)
    swapped = replace(layout, modalities=layout.modalities[::-1], features=layout.features[::-1])
    model, other = made(), made(swapped, seed=1)
    other.load_state_dict(reordered(model.state_dict(), 8))
    moved = batch._replace(x=batch.x[..., [3, 4, 0, 1, 2]], mask=batch.mask.flip(-1))
    torch.testing.assert_close(other(moved).prediction, model(batch).prediction, atol=1e-5, rtol=1e-4)
    assert (other(batch._replace(x=moved.x)).prediction - model(batch).prediction).abs().max() > 1e-3  # the mask is not swapped


def test_a_step_is_the_mean_of_its_present_tokens():
    """With blocks that add nothing, a step's token is the mean of its present tokens and of the null: (h + null) / 2 + time
    where one modality is present, null + time where none is."""
    model, data = made(), make_tokens(1, 1)
    with torch.no_grad():
        for cross, together in zip(model.cross, model.together, strict=True):
            for p in (cross.weight["out"], cross.weight["down"], *together.out.parameters(), *together.down.parameters()):
                p.zero_()
    mask = data.mask.copy()
    mask[:, 1] = mask[5] = False
    mask[4, 0] = True
    batch = batch_of(data)._replace(y=None, mask=torch.from_numpy(mask)[None])
    tokens = []
    model.heads.register_forward_pre_hook(lambda module, args: tokens.append(args[0]))
    model(batch)
    positions = husformer.time_encoding(batch.time, 8)
    h = model.encoder(batch.x, batch.mask)[0, 4, 0]
    torch.testing.assert_close(tokens[0][0, 4], (h + model.null) / 2 + positions[0, 4])
    torch.testing.assert_close(tokens[0][0, 5], model.null + positions[0, 5])


def test_a_step_without_modalities_is_predicted_from_its_neighbours():
    model, data = made(), make_tokens(1, 1)
    data.mask[7], data.mask[8] = False, True
    batch = batch_of(data)._replace(y=None)
    x = batch.x.clone()
    x[0, 8] += 1
    assert (model(batch._replace(x=x)).prediction - model(batch).prediction)[0, 7].abs().max() > 1e-5
    assert np.isfinite(model(batch).prediction.detach().numpy()).all()
