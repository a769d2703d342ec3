"""Properties of Hi-MoE as a whole, beyond the contract of every network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from himoe.models import himoe
from himoe.nn import noise
from himoe.signal.simulate import ornstein_uhlenbeck
from himoe.types import Batch, BuildContext, Layout
from tests.conftest import make_tokens
from tests.contract.networks import batch_of

THREE = {"a": ("a0", "a1"), "b": ("b0", "b1", "b2"), "c": ("c0",)}
REORDERED = {"c": THREE["c"], "a": THREE["a"], "b": THREE["b"]}
ORDER, COLUMNS = [2, 0, 1], [5, 0, 1, 2, 3, 4]  # of the modalities, and of the features, after reordering


def network(layout: Layout, **options) -> himoe.HiMoE:
    torch.manual_seed(0)
    return himoe.build(BuildContext(layout, 24), himoe.Config(width=16, **options)).eval()


def reordered(state: dict[str, torch.Tensor], d: int) -> dict[str, torch.Tensor]:
    """The weights of the same network with its modalities in another order."""
    out = {}
    for name, value in state.items():
        if name.startswith("encoder.project."):
            index = int(name.split(".")[2])
            name = name.replace(f".{index}.", f".{ORDER.index(index)}.")
        elif name.startswith("encoder.depthwise"):
            value = value.unflatten(0, (3, d))[ORDER].flatten(0, 1)
        elif name.startswith("encoder.") or name == "lags.log_prior":
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
        for name, weights in one.named_parameters():  # parameters that begin equal for all modalities are made to differ
            if name in ("lags.log_prior", "presence_bias.weight"):
                weights += 0.3 * torch.randn_like(weights)
    two = network(replace(tokens.layout, modalities=tuple(REORDERED), features=tuple(REORDERED.values())), router=router)
    two.load_state_dict(reordered(one.state_dict(), 16))
    a, b = one(batch), two(other)
    torch.testing.assert_close(a.prediction, b.prediction, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(a.routing["lag"][:, ORDER], b.routing["lag"], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(a.routing["modality_share"][..., [*ORDER, 3]], b.routing["modality_share"], atol=1e-5, rtol=1e-4)
    two.load_state_dict(one.state_dict() | {n: v for n, v in reordered(one.state_dict(), 16).items() if "project" in n})
    assert not torch.allclose(a.prediction, two(other).prediction, atol=1e-3)  # their weights must move with them


@pytest.mark.parametrize("alignment", ["both", "semantic", "none"])
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


def test_weights_come_back_from_a_file(tmp_path):
    tokens = make_tokens(2, 2, features=THREE)
    one = network(tokens.layout)
    save_file(one.state_dict(), tmp_path / "weights.safetensors")
    two = himoe.build(BuildContext(tokens.layout, 24), himoe.Config(width=16)).eval()
    two.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    batch = batch_of(tokens)._replace(y=None)
    assert torch.equal(one(batch).prediction, two(batch).prediction)


def shared_signal(late, drift=0.0):
    """A network that passes its input on (no convolutions, one linear map for all), and 40 windows of 50 s of modalities that
    share a signal, each late by so many tokens; the last 20 of 100 tokens are padding."""
    names = "abcdef"[: len(late)]
    layout = make_tokens(1, 1, features={k: (f"{k}0", f"{k}1") for k in names}).layout
    torch.manual_seed(0)
    model = himoe.build(BuildContext(layout, 100), himoe.Config(width=16, n_encoder_blocks=0)).eval()
    with torch.no_grad():
        for linear in model.encoder.project:
            linear.weight.copy_(model.encoder.project[0].weight)
            linear.bias.zero_()
    rng = np.random.default_rng(0)
    base = ornstein_uhlenbeck((40, 2, 140 * 4), 2.0, rng)[..., ::4]
    x = np.concatenate([np.moveaxis(base[..., 16 - k : 116 - k], 1, 2) for k in late], -1)
    x = (
        x
        + 0.5 * rng.standard_normal(x.shape)
        + drift * np.linspace(-1, 1, 100)[:, None] * rng.standard_normal((40, 1, x.shape[2]))
    )
    valid = (torch.arange(100) < 80).expand(40, 100)
    mask = valid.unsqueeze(-1).expand(40, 100, len(late))
    x = torch.where(valid.unsqueeze(-1), torch.tensor(x, dtype=torch.float32), torch.nan)
    return model, Batch(x, mask, torch.arange(100).expand(40, 100) / 2.0, valid, torch.arange(40), torch.zeros(40, 100, 2))


@pytest.mark.parametrize("late", [(6, 0), (6, 0, 0), (0, -5, 0), (6, -4, 0, 0, 2, 0)])
@pytest.mark.parametrize("drift", [0.0, 3.0])
def test_alignment_undoes_what_was_injected(late, drift):
    """At 2 tokens per s; fast changes count, not a drift that is six times as large."""
    model, batch = shared_signal(late, drift)
    with torch.no_grad():
        h = model.encoder(batch.x, batch.mask)
        aligned, mask, lags, _ = model.align(h, batch)
    error = lags["moved"] - torch.tensor(late) / 2
    error = error - error.median(1, keepdim=True).values
    assert (error.abs() <= 0.5).float().mean() > 0.9
    assert not mask[:, 80:].any()  # no token has moved into the padding
    for n, k in enumerate(late):
        if k and not drift:  # in time with the others now, not before
            other = next(i for i, j in enumerate(late) if j == 0)
            pair = [t[:, 20:60, [n, other]] for t in (h, aligned)]
            before, after = (torch.corrcoef(torch.stack([p[:, :, 0].flatten(), p[:, :, 1].flatten()]))[0, 1] for p in pair)
            assert after > before + 0.2


def test_lag_loss_is_small_where_the_estimate_follows():
    """Shifted by known amounts, the estimate follows where there is a common signal, and cannot where there is none."""
    losses = []
    for noise_only in (False, True):
        model, batch = shared_signal((3, 0, 0, 0))
        if noise_only:
            batch = batch._replace(x=torch.where(batch.valid.unsqueeze(-1), torch.randn_like(batch.x), 0.0))
        with noise.keyed(torch.tensor(0)), torch.no_grad():
            model.train()
            losses.append(model.align(model.encoder(batch.x, batch.mask), batch)[3].item())
    assert losses[0] < 0.1 < 0.3 < losses[1]
