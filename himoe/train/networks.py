"""Fits of networks: as many folds side by side as fit, from where an interrupted fit stopped."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

from himoe.data.memory import bytes_of, refuse_beyond
from himoe.data.reader import Load
from himoe.splits.guards import check_split
from himoe.train import devices
from himoe.train.cost import memory_of_one
from himoe.train.results import FittedFold
from himoe.train.together import NetworkContext, StackFit
from himoe.types import HimoeError, Split, Tokens

ONE_IS_TOO_MANY = "one fold alone does not fit into the GPU's memory; lower training.batch_size"
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
        self.load = partial(_load_for, self.load, self.device)

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
            try:
                fitted = StackFit(self, together).fit()
            except torch.OutOfMemoryError as error:
                if len(together) == 1:
                    raise HimoeError(ONE_IS_TOO_MANY) from error
                fitted = None
            if fitted is None:  # outside of the except clause: no traceback holds the memory of what was tried
                self.stack_size = -(-len(together) // 2)
                log.warning("out of GPU memory with %d folds side by side: now %d", len(together), self.stack_size)
                self.state.forget_stack()
                gc.collect()  # what the failed stack held, in circles of references too
                torch.cuda.empty_cache()
                continue
            yield fitted
            left = left[len(together) :]

    def facts(self) -> dict[str, Any]:
        """Where and how they are fitted, for the run record."""
        return devices.describe(self.device, self.spec.training, self.execution) | {"stack": self.stack_size}

    def _folds_that_fit(self, splits: list[Split]) -> int:
        """As the config says; on a GPU, by what one fold is seen to need there."""
        bytes_of_one = 0
        if splits and self.device.type == "cuda" and self.execution.stack == "auto":
            one = StackFit(self, splits[:1])
            try:
                bytes_of_one = memory_of_one(one.trainers[0], one.fold_run(splits[0]))
            except torch.OutOfMemoryError as error:
                raise HimoeError(ONE_IS_TOO_MANY) from error
        return devices.side_by_side(self.execution, self.device, len(splits), bytes_of_one)


def free_on(device: torch.device) -> int | None:
    """Bytes that a GPU has for new tensors, those that torch holds back among them; None of a CPU."""
    if device.type != "cuda":
        return None
    return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def _load_for(load: Load, device: torch.device, subjects: set[str], forbidden: set[str]) -> Tokens:
    """Tokens that will be copied to a device, once for all folds; HimoeError if they do not fit there."""
    tokens = load(subjects, forbidden)
    refuse_beyond(
        bytes_of(tokens), free_on(device), f"tokens of {len(subjects)} people", "GPU memory", "set execution.device: cpu"
    )  # fmt: skip
    return tokens
