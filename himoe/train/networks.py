"""Fits of networks: as many folds side by side as fit, from where an interrupted fit stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import torch

from himoe.splits.guards import check_split
from himoe.train import devices
from himoe.train.results import FittedFold
from himoe.train.together import NetworkContext, StackFit
from himoe.types import HimoeError, Split

T = TypeVar("T")
log = logging.getLogger("himoe")


class NetworkFits(NetworkContext):
    """The fits of a shard's folds.

    Every fold is trained in each configuration that tuning asks for, on its training subjects; the epoch and the
    configuration with the best CCC on its validation subjects are kept, and with ``training.refit`` it is trained anew, on
    training and validation subjects together, for as many epochs as were chosen. Targets are standardised on the rows that
    it is trained on, so that the reference of skill is the same for every model of a fold. With a ``checkpoint`` training
    goes on from the state it holds.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.stack_size = self.state.stack_size

    def fit(self, splits: list[Split]) -> Iterator[list[FittedFold]]:
        """Fit these folds; those that were trained together come together. After a lack of memory half as many are tried."""
        for split in splits:
            check_split(split, self.spec.protocol)
        left = list(splits)
        self.stack_size = self.stack_size or self._folds_that_fit(left)
        while left:
            self.state.stack_size = self.stack_size
            together = left[: self.stack_size]
            if len(together) > 1:
                log.info("training %d folds side by side on %s", len(together), self.device)
            fitted = _unless_out_of_memory(partial(self._fit_together, together), len(together))
            if fitted is None:
                self.stack_size = -(-len(together) // 2)
                log.warning("out of GPU memory with %d folds side by side: now %d", len(together), self.stack_size)
                self.state.forget_stack()
                torch.cuda.empty_cache()  # here, where no traceback holds what was tried
                continue
            yield fitted
            left = left[len(together) :]

    def facts(self) -> dict[str, Any]:
        """Where and how they are fitted, for the run record."""
        return devices.describe(self.device, self.spec.training, self.execution) | {"stack": self.stack_size}

    def _fit_together(self, splits: list[Split]) -> list[FittedFold]:
        return StackFit(self, splits).fit()

    def _folds_that_fit(self, splits: list[Split]) -> int:
        """As the config says; on a GPU, by what one fold is seen to need there."""
        bytes_of_one = 0
        if splits and self.device.type == "cuda" and self.execution.stack == "auto":
            bytes_of_one = _unless_out_of_memory(partial(self._memory_of_one, splits[0]), 1) or 0
        return devices.side_by_side(self.execution, self.device, len(splits), bytes_of_one)

    def _memory_of_one(self, split: Split) -> int:
        one = StackFit(self, [split])
        return one.trainers[0].memory_of_one(one.fold_run(split))


def _unless_out_of_memory(work: Callable[[], T], n_together: int) -> T | None:
    """What ``work`` gives; None where several folds together need more memory than the GPU has."""
    try:
        return work()
    except torch.OutOfMemoryError as error:
        if n_together > 1:
            return None
        raise HimoeError("one fold alone does not fit into the GPU's memory; lower training.batch_size") from error
