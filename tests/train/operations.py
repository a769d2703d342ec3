"""Operations of a training step: what a GPU is asked to start, counted on a CPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from himoe.train.loop import Trainer
from himoe.train.networks import NetworkFits
from himoe.train.runs import FoldRun
from himoe.train.together import StackFit
from himoe.types import Split

# they make memory or another look at it, and start nothing, though their schema does not say so
NOTHING = {"_unsafe_view", "empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "lift_fresh"}


class Operations(TorchDispatchMode):
    """Counts by name what is computed within it; a view of a tensor is not."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not starts_nothing(func):
            self.counts[str(func.overloadpacket).removeprefix("aten.")] += 1
        return func(*args, **(kwargs or {}))


def starts_nothing(func: torch._ops.OpOverload) -> bool:
    """Whether an operation gives a view of its argument (an alias that it does not write to) or memory as it is."""
    returned = [r.alias_info for r in func._schema.returns]
    is_view = bool(returned) and all(alias is not None and not alias.is_write for alias in returned)
    return is_view or func._schema.name.removeprefix("aten::") in NOTHING


class Steps:
    """The last steps of an epoch of these folds side by side: all that the trainer does, noise, batch, gradient and AdamW."""

    def __init__(self, fits: NetworkFits, splits: list[Split]) -> None:
        together = StackFit(fits, splits)
        self.trainer: Trainer = together.trainers[0]
        self.runs: list[FoldRun] = [together.fold_run(split, n_epochs=1) for split in splits]
        self.state, self.stack, self.adam = self.trainer._start(self.runs, "refit")
        self.machine = self.trainer._machine(self.runs, self.stack, self.adam, self.state)
        self.n_steps = int(self.trainer.steps(self.runs).max())

    def __call__(self, n: int) -> None:
        """Train ``n`` of them, with all that an epoch needs before its first step."""
        assert n <= self.n_steps
        self.state.step = self.n_steps - n
        self.trainer.train_epoch(self.runs, self.stack, self.adam, self.state, self.machine, dict)


def operations_of(steps: Callable[[int], None]) -> Counter[str]:
    """Operations of one training step, by name: those of an epoch of two steps less those of an epoch of one. Not of the very
    first, which draws its noise part by part: how much a step needs is not known before."""
    one, two = Operations(), Operations()
    steps(1)
    with one:
        steps(1)
    with two:
        steps(2)
    return two.counts - one.counts
