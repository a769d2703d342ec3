"""The experts against their pass line (G6)."""

from __future__ import annotations

import statistics
import time

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from himoe.config.sections import Execution, Training
from himoe.nn.attention import MASKED_LOGIT
from himoe.nn.soft_moe import Experts, MaskedSoftMoE
from himoe.train import devices
from tests.train.operations import Operations


@pytest.mark.parametrize("d", [32, 64], ids=["the default run's width", "full width"])
@pytest.mark.parametrize("batch_size", [8, 32])
def test_g6_experts(d, batch_size):
    """A bank of eight experts, 1.2 times as fast as a Python loop over them, the sides in turn; its operations are as many for
    any number of experts.

    The products alone are printed and have no line: with full width and batches of 32 crops both sides spend their time in
    products that run at four fifths of the core's peak.
    """
    devices.settle(Training(), Execution(device="cpu"))
    n, hidden = 60 * batch_size, 2 * d
    bank, x = MaskedSoftMoE(d, 8, hidden), torch.randn(8, n, d)
    single = nn.ModuleList(nn.Sequential(nn.Linear(d, hidden), nn.GELU(), nn.Linear(hidden, d)) for _ in range(8))
    given = torch.randn(n, 8, d), torch.rand(n, 8) > 0.3, torch.randn(n, 8, 8)
    given[1][:, -1] = True
    of_bank = faster({"ours": lambda: bank(*given).out, "loop": lambda: looped(bank, single, *given)})
    alone = faster(
        {"ours": lambda: bank.experts(x), "loop": lambda: torch.stack([f(r) for f, r in zip(single, x, strict=True)])}
    )

    def count(n_experts):
        experts, rows = Experts(n_experts, d, hidden), torch.randn(n_experts, n, d)
        with Operations() as seen:
            experts(rows).sum().backward()
        return seen.counts.total()

    ratios = f"the bank {of_bank:.2f}x a loop (line 1.2); its products alone {alone:.2f}x"
    print(f"\nG6 8 experts of width {d}, batches of {batch_size} crops: {ratios}")
    print(f"   operations for 2, 8, 32 experts: {count(2)}, {count(8)}, {count(32)}")
    assert count(2) == count(32)
    assert of_bank >= 1.2


def looped(bank: MaskedSoftMoE, single: nn.ModuleList, tokens, mask, bias) -> torch.Tensor:
    """The bank as one writes it with a loop: each expert gathers its slot and adds its share to every token."""
    x, present = bank.norm(tokens), mask.unsqueeze(-1)
    logits = bank.scale * F.normalize(x, dim=-1) @ F.normalize(bank.slots, dim=-1).T + bias
    dispatch = torch.softmax(logits.masked_fill(~present, MASKED_LOGIT), dim=1) * present
    combine, x, out = torch.softmax(logits, dim=2) * present, torch.where(present, x, 0.0), 0.0
    for e, expert in enumerate(single):
        slot = (dispatch[:, :, e].unsqueeze(1) @ x).squeeze(1)
        out = out + combine[:, :, e].unsqueeze(-1) * expert(slot).unsqueeze(1)
    return out


def faster(steps: dict, n: int = 30) -> float:
    """How many times as fast a step of ours is, forward and back: ratio of medians of interleaved repeats."""
    spent = {name: [] for name in steps}
    for _ in range(n):
        for name, step in steps.items():
            started = time.process_time()
            step().sum().backward()
            spent[name].append(time.process_time() - started)
    return statistics.median(spent["loop"][5:]) / statistics.median(spent["ours"][5:])
