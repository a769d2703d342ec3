"""Tokens of the subjects that a fit, or a prediction, may see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from himoe.config.protocols import PROTOCOLS
from himoe.config.spec import View
from himoe.data.memory import free_bytes, refuse_beyond
from himoe.data.recordings import read_trials
from himoe.data.tokens import read_tokens
from himoe.data.views import narrow, prepare, with_control
from himoe.types import HimoeError, Split, Tokens

if TYPE_CHECKING:
    from himoe.config.spec import FitSpec

FEWER = "use a machine with more, or prepare fewer people, modalities or targets"
Load = Callable[[set[str], set[str]], Tokens]  # (subjects, forbidden) -> their tokens


class Reader:
    """Tokens of subjects as a view has them, each file read once; refuses a subject that a fold must not see. ``read`` reads a
    file of tokens: two readers that share one that remembers read each file once together."""

    def __init__(
        self, files: Iterable[Path], view: View | None = None, recordings: Sequence[Path] = (),
        read: Callable[[Path], Tokens] | None = None,
    ):  # fmt: skip
        self.paths = {f.stem: f for f in files}
        self.recordings = {f.stem: f for f in recordings}
        self.view, self.read = view or View(), read or read_tokens
        self.kept: dict[str, Tokens] = {}

    def load(self, subjects: set[str], forbidden: Iterable[str] = ()) -> Tokens:
        """Tokens of these subjects, in the order of their names; HimoeError if they cannot fit into memory."""
        if wrong := subjects & set(forbidden):
            raise HimoeError(f"leakage: a fit asked for test subject {sorted(wrong)[0]}")
        new = subjects - set(self.kept)
        needed = self._bytes(new) + self._bytes(subjects)  # each as it is read, and all of them joined
        refuse_beyond(needed, free_bytes(), f"tokens of {len(subjects)} people", "memory", FEWER)
        for subject in new:
            trials = read_trials(self.recordings[subject]) if self.view.samples else []
            self.kept[subject] = prepare(self.view, self.read(self.paths[subject]), trials)
        return Tokens.concatenate([self.kept[s] for s in sorted(subjects)])

    def _bytes(self, subjects: set[str]) -> int:
        """What the files of these subjects unpack to, within a few percent: arrays are kept as they are, uncompressed."""
        of_samples = [self.recordings[s] for s in subjects if self.view.samples]
        return sum(path.stat().st_size for path in [*(self.paths[s] for s in subjects), *of_samples] if path.exists())


def load_for_fit(load: Load, spec: FitSpec, splits: list[Split]) -> Tokens:
    """One copy of all that the fits of these folds may read, as the model is given it.

    A subject that all of them test is not among it where the protocol keeps people apart; one that only some of them test is,
    for the others are trained on it.
    """
    read = {subject for split in splits for part in (split.train, split.valid) for subject, _ in part}
    tested_by_all = set.intersection(*({subject for subject, _ in split.test} for split in splits))
    forbidden = tested_by_all if PROTOCOLS[spec.protocol].independent else set()
    return narrow(spec.view, with_control(spec.view, load(read, forbidden), spec.seed))
