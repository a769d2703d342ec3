"""What happens to one fold in one phase of training, and where a phase stands.

Axes: K folds in the stack, P parameters of one model.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from torch import Tensor, nn

from himoe.train.scaling import Scaler


class End(Enum):
    """Why a fold's run is over."""

    LAST_EPOCH = "all its epochs are done"
    NO_BETTER = "no better epoch for as long as training.patience allows"
    DIVERGED = "a loss, a gradient or a prediction was not finite; the last good weights are kept"
    NOT_JUDGED = "its validation was not finite; the best weights are kept, or the first ones where none were judged"
    NOT_TRAINED = "it only holds its place in the stack"


@dataclass
class FoldRun:
    """One fold's run through one phase: which trials of the bank it is trained and judged on, and what came of it.

    With ``valid`` the weights of the best epoch are kept; without it the fold is trained for all of ``n_epochs`` and the
    last ones are. ``failed`` says where it diverged; ``weights`` (P,) then holds the last good ones.
    """

    fold: int
    train: np.ndarray
    valid: np.ndarray | None
    scaler: Scaler
    n_epochs: int
    initial_model: Callable[[], nn.Module]
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_ccc: float = -math.inf
    weights: Tensor | None = None
    failed: str = ""
    end: End | None = None

    RESULTS = ("history", "best_epoch", "best_ccc", "weights", "failed")

    def results(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {name: getattr(self, name) for name in self.RESULTS} | {"end": self.end.name if self.end else ""}

    def restore(self, results: dict[str, Any]) -> None:
        """Go on from what a checkpoint kept."""
        for name in self.RESULTS:
            setattr(self, name, results[name])
        self.end = End[results["end"]] if results["end"] else None

    def record_epoch(self, epoch: int, values: dict[str, float]) -> None:
        """Write a judged epoch down (``loss``, ``valid_loss``, ``valid_ccc``), and remember it if it is the best one."""
        self.history.append({"epoch": epoch} | values)
        if values["valid_ccc"] > self.best_ccc:
            self.best_ccc, self.best_epoch = values["valid_ccc"], epoch


@dataclass
class LoopState:
    """Where a phase stands: ``rows`` of its runs are in the stack, with the epoch's total loss and whether they
    diverged, (K,)."""

    rows: list[int]
    epoch: int
    step: int
    total: Tensor
    diverged: Tensor

    def next_epoch(self, going: Tensor) -> None:
        """Only these places (n,) of the stack go on; if all do, their tensors stay where they are."""
        if len(going) < len(self.rows):
            self.rows = [self.rows[i] for i in going.tolist()]
            self.total, self.diverged = self.total[going], self.diverged[going]
        self.total.zero_()
        self.epoch, self.step = self.epoch + 1, 0
