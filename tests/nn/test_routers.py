"""Ablations of the expert banks: gates worked by hand, and properties that every variant of Hi-MoE must have."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from himoe import registry
from himoe.nn import prototypes, routers
from himoe.train.stack import Stack
from himoe.train.step import objective
from himoe.types import BuildContext
from tests.conftest import make_tokens
from tests.contract.networks import batch_of, train_on

FIELDS = registry.load("models", "himoe").Config.model_fields
CHOICES = ("router", "emotion_router", "hierarchy", "alignment")
# Every value that a choice may have but the default, and the default router once.
CASES = [(f, v) for f in CHOICES for v in get_args(FIELDS[f].annotation) if v != FIELDS[f].default or f == "router"]


def test_every_gate_is_a_router_of_himoe_and_an_unknown_one_is_refused():
    assert set(get_args(FIELDS["router"].annotation)) == {"soft", "concat", *get_args(routers.Gate)}
    with pytest.raises(ValueError, match="there is no gate 'mine'"):
        gates("mine", [0.0, 0.0])


def gates(gate, bias):
    """One token (3, 4) of length 5, experts at (1, 0) and (0, 1), scale 5."""
    x, centres = torch.tensor([[[3.0, 4.0]]]), torch.eye(2)
    return routers.gates(x, centres, torch.tensor(5.0), torch.tensor(bias), gate)


def test_dense_gates_by_hand():
    """Cosines 3/5 and 4/5, times 5: logits 3 and 4; softmax 1 / (1 + e) and e / (1 + e)."""
    weights, logits = gates("dense", [0.0, 0.0])
    torch.testing.assert_close(logits, torch.tensor([[[3.0, 4.0]]]))
    torch.testing.assert_close(weights, torch.tensor([[[1 / (1 + math.e), math.e / (1 + math.e)]]]))


def test_top1_keeps_the_largest_gate_and_its_weight():
    weights, _ = gates("top1", [0.0, 0.0])
    torch.testing.assert_close(weights, torch.tensor([[[0.0, math.e / (1 + math.e)]]]))
    assert gates("top1", [9.0, 0.0])[0][0, 0, 1] == 0


def test_laplace_gates_by_hand():
    """Distances sqrt(4 + 16) and sqrt(9 + 9), over sqrt(2), times 5."""
    weights, logits = gates("laplace", [0.0, 0.0])
    expected = -5 * torch.tensor([20**0.5, 18**0.5]) / 2**0.5
    torch.testing.assert_close(logits[0, 0], expected)
    torch.testing.assert_close(weights[0, 0], torch.softmax(expected, 0))


def test_uniform_gates_ignore_logits():
    assert gates("uniform", [9.0, -9.0])[0].tolist() == [[[0.5, 0.5]]]


def test_gated_experts_by_hand():
    """Experts that double and treble: a token with gates 0.25 and 0.75 comes out 2.75 times as large; an absent one as 0."""
    moe = routers.GatedMoE(4, 2, 8, "dense")

    class Times(torch.nn.Module):
        def forward(self, x):
            return torch.stack([2 * x, 3 * x])

    moe.experts = Times()
    with torch.no_grad():
        moe.scale.fill_(0.0)
    tokens, mask = torch.randn(1, 2, 4), torch.tensor([[True, False]])
    tokens[0, 1] = torch.nan
    routed = moe(tokens, mask, torch.log(torch.tensor([1.0, 3.0])))
    torch.testing.assert_close(routed.out[0, 0], 2.75 * torch.nn.functional.layer_norm(tokens[0, 0], (4,)))
    assert not routed.out[0, 1].any()
    assert not routed.combine[0, 1].any()


def test_concatenation_ignores_absent_tokens_and_keeps_its_size():
    fusion = routers.ConcatFusion(8, 3, 2000)
    assert abs(sum(p.numel() for p in fusion.parameters()) - 2000) < 3 * 8 + 8 + 1
    tokens, mask = torch.randn(2, 3, 8), torch.tensor([[True, False, True]] * 2)
    other = tokens.clone()
    other[:, 1] = torch.nan
    (a, shares), (b, _) = fusion(tokens, mask), fusion(other, mask)
    assert torch.equal(a, b)
    assert shares.tolist() == [[0.5, 0.0, 0.5]] * 2


def test_without_the_second_map_prototypes_are_a_plain_softmax():
    bank = prototypes.DifferentialPrototypes(8, 4, 2, 8, 2, differential=False)
    output = bank(torch.randn(2, 3, 8))
    assert output.lam == 0
    torch.testing.assert_close(output.weights, output.first_map)
    torch.testing.assert_close(output.weights.sum(-1), torch.ones(2, 3))


def test_a_linear_gate_by_hand():
    """Gate biases log 1 and log 3 and no weights: experts are mixed 1 to 3, in both heads, at every step."""
    bank = routers.LinearlyGatedPrototypes(4, 2, 2, 4)
    with torch.no_grad():
        bank.gate.weight.zero_()
        bank.gate.bias.copy_(torch.log(torch.tensor([1.0, 3.0, 1.0, 3.0])))
    output = bank(torch.randn(2, 3, 4))
    torch.testing.assert_close(output.weights, torch.tensor([0.25, 0.75]).expand(2, 3, 2))


@pytest.fixture(params=CASES, ids=lambda c: f"{c[0]}-{c[1]}")
def variant(request):
    field, value = request.param
    plugin, data = registry.load("models", "himoe"), make_tokens()
    ctx = BuildContext(data.layout, 24)

    def build(seed=0, **options):
        torch.manual_seed(seed)
        return plugin.build(ctx, plugin.Config(width=32, **options))

    return build, {field: value}, data


def count(model):
    return sum(p.numel() for p in model.parameters())


def test_a_variant_is_as_large_as_the_model_it_is_compared_with(variant):
    """Only removed parts that nothing replaces (half of the alignment) make it smaller."""
    build, options, _ = variant
    whole, variant_size = count(build()), count(build(**options))
    if "alignment" in options:
        assert 0.9 * whole < variant_size <= whole
    else:
        assert abs(variant_size - whole) < 0.01 * whole


def test_a_variant_never_reads_what_is_absent(variant):
    build, options, data = variant
    model, columns = build(**options).eval(), np.repeat(data.mask, [3, 2], axis=1)
    for garbage in (np.nan, np.inf, 1e30):
        batches = (batch_of(replace(data, x=np.where(columns, data.x, fill).astype(np.float32))) for fill in (0, garbage))
        a, b = (model(batch._replace(y=None)).prediction for batch in batches)
        assert torch.equal(a, b)


def test_a_variant_learns_in_a_stack(variant):
    """The same gradients as alone, and no warning that vmap falls back to a loop over models."""
    build, options, _ = variant
    models, loss = [build(seed, **options) for seed in (0, 1)], objective(False, 0.5)
    one = [batch_of(make_tokens(2, 3, seed=i)) for i in (0, 1)]
    together = type(one[0])(*map(torch.stack, zip(*one, strict=True)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, gradients = Stack(models, torch.device("cpu")).gradients(together, torch.tensor([0, 0]), loss)
    for k in (0, 1):
        model = build(k, **options)
        loss(train_on(model, one[k]), one[k]).backward()
        expected = torch.cat(
            [torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in model.parameters()]
        )
        assert (gradients[k] - expected).norm() / expected.norm() < 1e-5
