"""Tokens of the subjects that a fit may see."""

from __future__ import annotations

from pathlib import Path

from himoe.data.recordings import read_trials
from himoe.data.tokens import read_tokens
from himoe.data.views import View
from himoe.types import HimoeError, Tokens


class Reader:
    """Tokens of subjects as a view has them, each file read once; refuses a subject that a fold must not see."""

    def __init__(self, files: list[Path], view: View | None = None, recordings: list[Path] = ()):
        self.paths: dict[str, Path] = {f.stem: f for f in files}
        self.recordings: dict[str, Path] = {f.stem: f for f in recordings}
        self.view, self.kept = view or View(), {}

    def load(self, subjects: set[str], forbidden: set[str] = frozenset()) -> Tokens:
        """Tokens of these subjects, in the order of their names."""
        if wrong := subjects & forbidden:
            raise HimoeError(f"leakage: a fit asked for test subject {sorted(wrong)[0]}")
        for subject in subjects - set(self.kept):
            trials = read_trials(self.recordings[subject]) if self.view.samples else None
            self.kept[subject] = self.view.prepare(read_tokens(self.paths[subject]), trials)
        return Tokens.concatenate([self.kept[s] for s in sorted(subjects)])
