"""MulT: attention worked by hand; which modality reaches which through which pair."""

from __future__ import annotations

import math

import pytest
import torch

from himoe.models import mult
from himoe.nn import crossmodal
from himoe.types import Batch, BuildContext, Layout
from tests.contract.networks import train_on

A, B, C = range(3)
SLOT = {(A, B): 0, (A, C): 1, (B, A): 0, (B, C): 1, (C, A): 0, (C, B): 1}  # where a target keeps each source's result


def made(n_modalities=3, seed=0):
    """A model with c = 8 for this many modalities of two features."""
    torch.manual_seed(seed)
    names = tuple(f"m{i}" for i in range(n_modalities))
    layout = Layout(names, tuple((f"{n} x", f"{n} y") for n in names), ("valence", "arousal"), 2.0, True)
    return mult.build(BuildContext(layout, 6), mult.Config(width=16, cross_width=8))


def gradients(model, mask, target, source, t):
    """Sizes of the gradients of the result of ``target`` from ``source`` at step t: by low-level tokens (3, T), null keys
    (3,)."""
    low = torch.randn(3, 1, 6, 8, requires_grad=True)
    part = model.eval().crossmodal(low, mask)[target, 0, t].unflatten(0, (2, 8))[SLOT[target, source]]
    by_low, by_null = torch.autograd.grad((part * torch.arange(8)).sum(), (low, model.null))
    return by_low[:, 0].abs().sum(-1), by_null.flatten(1).abs().sum(-1)


def test_attention_by_hand():
    """Query biases make the scores of two present tokens log 3 and 0 in the first block, 0 and 0 in the second, whatever the
    target is: 3/4 (1, 0) + 1/4 (0, 8) = (3/4, 2) and (1/2, 4). A third token is masked."""
    blocks = crossmodal.AttentionBlocks(2, 2, 1, 4, 0.0)
    with torch.no_grad():
        blocks.weight["query"].zero_()
        blocks.bias["query"][0, 0, 0] = torch.tensor([math.log(3) * 2**0.5, 0])
        for name in ("key", "value", "out"):
            blocks.weight[name].copy_(torch.eye(2))
        blocks.weight["key"][:, 1] = 0  # the second number is no part of the key
    source, seen = torch.tensor([[[[1.0, 0], [0, 8], [50, 50]]]]), torch.tensor([[[[True, True, False]]]])
    out = blocks.attention(torch.randn(2, 1, 5, 2), source, seen)
    expected = torch.tensor([[0.75, 2.0], [0.5, 4.0]])
    torch.testing.assert_close(out, expected[:, None, None].expand_as(out))


def test_every_modality_is_paired_with_all_others():
    assert mult.others(torch.arange(4)).tolist() == [1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2]
    assert mult.others(torch.arange(2)).tolist() == [1, 0]


@pytest.mark.parametrize(("target", "source"), SLOT)
def test_a_pair_attends_to_its_source_at_every_time_and_to_nothing_else(target, source):
    """The result depends on all present tokens of the source, on the target's token at that step, on nothing of the third
    modality and not on the token that the source lost."""
    model = made()
    mask = torch.ones(1, 6, 3, dtype=torch.bool)
    mask[0, 4, source] = False
    by_low, by_null = gradients(model, mask, target, source, t=2)
    expected = torch.zeros(3, 6, dtype=torch.bool)
    expected[source] = mask[0, :, source]
    expected[target, 2] = True
    assert ((by_low > 0) == expected).all()
    assert ((by_null > 0) == (torch.arange(3) == source)).all()


def test_an_empty_source_leaves_its_null_key():
    model = made()
    by_low, by_null = gradients(model, torch.tensor([True, False, True]).expand(1, 6, 3), A, B, t=2)
    assert not by_low[B].any()
    assert by_null[B] > 0


def test_pairs_have_separate_values():
    model = made()
    mask = torch.ones(1, 6, 3, dtype=torch.bool)
    with torch.no_grad():
        for block in model.pairs:
            block.weight["value"][0] = 0  # the pair (A <- B)
    assert not gradients(model, mask, A, B, t=2)[0][B].any()
    assert gradients(model, mask, A, C, t=2)[0][C].all()
    assert gradients(model, mask, B, A, t=2)[0][A].all()


def test_every_block_reads_the_low_level_tokens_of_the_source():
    model = made()
    low, sources = torch.randn(3, 1, 6, 8), []
    for block in model.pairs:
        block.register_forward_pre_hook(lambda module, args: sources.append(args[1]))
    model.eval().crossmodal(low, torch.ones(1, 6, 3, dtype=torch.bool))
    assert len(sources) == 2
    for source in sources:
        torch.testing.assert_close(source[:, :, :-1], crossmodal.normed(low)[[1, 2, 0, 2, 0, 1]])


def test_one_modality_has_no_pairs_and_learns():
    model = made(1)
    x, mask = torch.randn(2, 6, 2), torch.rand(2, 6, 1) < 0.7
    time, valid = torch.arange(6).expand(2, 6) / 2, torch.ones(2, 6, dtype=torch.bool)
    train_on(model, Batch(x, mask, time, valid, torch.arange(2), torch.randn(2, 6, 2))).prediction.square().mean().backward()
    assert not [n for n, p in model.named_parameters() if not p.grad.abs().sum() > 0]
    assert not any("pairs" in n or "null" in n for n, _ in model.named_parameters())
