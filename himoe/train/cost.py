"""What a network takes: memory of a training step, multiply-accumulates of a window, time to predict a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from himoe.train import devices
from himoe.train.prediction import predict_tokens
from himoe.train.stack import Stack
from himoe.train.step import objective
from himoe.train.timing import milliseconds
from himoe.train.windows import Affine, cover

if TYPE_CHECKING:
    from himoe.train.loop import Trainer
    from himoe.train.runs import FoldRun


def trial_ms(trainer: Trainer, run: FoldRun) -> float:
    """Milliseconds in which a network predicts a fold's first validation trial, from tokens on the device to numbers off it."""
    assert run.valid is not None
    bank, affine = trainer.bank, Affine.of([run.scaler], trainer.device)
    stack = Stack([run.initial_model()], trainer.device, devices.autocast(trainer.training))
    windows = cover(bank, [run.valid[:1]], trainer.n_times)
    return milliseconds(lambda: predict_tokens(stack, bank, affine, windows, trainer.n_times).tokens.cpu())


def count_macs(trainer: Trainer, run: FoldRun) -> int:
    """Multiply-accumulates of the matrix products and convolutions that predict one window."""
    from torch.utils.flop_counter import FlopCounterMode

    stack, batch, _ = trainer.one_fold(run, 1)
    with FlopCounterMode(display=False) as counter:
        stack.predict(batch._replace(y=None))
    return counter.get_total_flops() // 2


def memory_of_one(trainer: Trainer, run: FoldRun) -> int:
    """Bytes of GPU memory that one fold takes at its peak, measured on one step."""
    torch.cuda.reset_peak_memory_stats(trainer.device)
    before = torch.cuda.memory_allocated(trainer.device)
    stack, batch, keys = trainer.one_fold(run, trainer.training.batch_size)
    stack.gradients(batch, keys, objective(trainer.bank.layout.per_token, trainer.training.ccc_weight))
    return torch.cuda.max_memory_allocated(trainer.device) - before
