"""What must hold of Hi-MoE as a whole beyond what the contract asks of every network."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from himoe.models import himoe
from himoe.types import BuildContext, Layout
from tests.conftest import make_tokens
from tests.contract.test_plugins import batch_of

THREE = {"a": ("a0", "a1"), "b": ("b0", "b1", "b2"), "c": ("c0",)}
TURNED = {"c": THREE["c"], "a": THREE["a"], "b": THREE["b"]}
ORDER, COLUMNS = [2, 0, 1], [5, 0, 1, 2, 3, 4]  # of the modalities, and of the features, after the turn


def network(layout: Layout, **options) -> himoe.HiMoE:
    torch.manual_seed(0)
    return himoe.build(BuildContext(layout, 24), himoe.Config(width=16, **options)).eval()


def turned(state: dict[str, torch.Tensor], d: int) -> dict[str, torch.Tensor]:
    """The weights of a network whose modalities stand in another order."""
    out = {}
    for name, value in state.items():
        if name.startswith("encoder.project."):
            index = int(name.split(".")[2])
            name = name.replace(f".{index}.", f".{ORDER.index(index)}.")
        elif name.startswith("encoder.depthwise"):
            value = value.unflatten(0, (3, d))[ORDER].flatten(0, 1)
        elif name.startswith("encoder.") or name == "lags.habit":
            value = value[ORDER]
        elif name == "presence_bias.weight":  # (E, 2M): presence, agreement
            value = value.unflatten(1, (2, 3))[:, :, ORDER].flatten(1)
        out[name] = value
    return out


@pytest.mark.parametrize("router", ["soft", "dense"])
def test_the_order_of_modalities_with_their_weights_does_not_matter(router):
    tokens = make_tokens(3, 4, features=THREE)
    batch = batch_of(tokens)._replace(y=None)
    other = batch._replace(x=batch.x[..., COLUMNS], mask=batch.mask[..., ORDER])
    one = network(tokens.layout, router=router)
    with torch.no_grad():
        for name, weights in one.named_parameters():  # what starts alike for all modalities is made to differ
            if name in ("lags.habit", "presence_bias.weight"):
                weights += 0.3 * torch.randn_like(weights)
    two = network(replace(tokens.layout, modalities=tuple(TURNED), features=tuple(TURNED.values())), router=router)
    two.load_state_dict(turned(one.state_dict(), 16))
    a, b = one(batch), two(other)
    torch.testing.assert_close(a.prediction, b.prediction, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(a.routing["lag"][:, ORDER], b.routing["lag"], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(a.routing["modality_share"][..., [*ORDER, 3]], b.routing["modality_share"], atol=1e-5, rtol=1e-4)
    two.load_state_dict(one.state_dict() | {n: v for n, v in turned(one.state_dict(), 16).items() if "project" in n})
    assert not torch.allclose(a.prediction, two(other).prediction, atol=1e-3)  # their weights must move with them


@pytest.mark.parametrize("alignment", ["semantic", "none"])
def test_a_causal_network_sees_no_later_step(alignment):
    tokens = make_tokens(3, 2, features=THREE)
    batch, t = batch_of(tokens)._replace(y=None), 15
    x, mask = batch.x.clone(), batch.mask.clone()
    x[:, t:] = torch.randn_like(x[:, t:])
    mask[:, t:] = ~mask[:, t:]
    later = batch._replace(x=x, mask=mask)
    for causal in (True, False):
        model = network(tokens.layout, causal=causal, alignment=alignment)
        a, b = model(batch).prediction, model(later).prediction
        assert torch.equal(a[:, :t], b[:, :t]) == causal
        assert not torch.allclose(a[:, t:], b[:, t:])


def test_a_causal_network_estimates_no_lags():
    with pytest.raises(ValidationError, match="a lag is a whole window's"):
        himoe.Config(causal=True)


def test_weights_come_back_from_a_file(tmp_path):
    tokens = make_tokens(2, 2, features=THREE)
    one = network(tokens.layout)
    save_file(one.state_dict(), tmp_path / "weights.safetensors")
    two = himoe.build(BuildContext(tokens.layout, 24), himoe.Config(width=16)).eval()
    two.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    batch = batch_of(tokens)._replace(y=None)
    assert torch.equal(one(batch).prediction, two(batch).prediction)
