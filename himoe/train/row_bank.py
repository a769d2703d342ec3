"""Rows of all trials that a shard's fits may read, laid out once; each fold is given its own in its own normalisation.

Filling a gap over time and averaging over a trial are weighted means with weights that sum to 1, and a normalisation is an
affine map of every feature, so that the two may change places: rows are made once, in the unit of the features, and a fold
takes its level and scale from those it is given. Equal to rows of scaled tokens but for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from himoe.data.rows import Rows, to_rows
from himoe.splits.guards import check_fit_rows, positions
from himoe.train.scaling import Moments, Scaler
from himoe.types import Keys, Split, Tokens

Summed = tuple[np.ndarray, np.ndarray, np.ndarray]  # count, mean, sum of squares about it


class RowBank:
    """Tokens of all that the fits of some folds may read, as rows and as moments of every trial."""

    def __init__(self, tokens: Tokens):
        self.tokens = tokens
        runs = [list(run) for _, run in groupby(range(len(tokens.trials)), lambda i: tokens.trials[i].subject)]
        people = [tokens.select(run) for run in runs]
        self.moments, self.rows = _moments(people, tokens.baseline), _rows(people, tokens.offsets)
        self.ever = self.rows.ever()

    def part(self, split: Split, keys: Keys, protocol: str) -> Part:
        """The trials of a fold with these keys.

        Raises
        ------
        HimoeError
            If one is absent or changed, is a test row of this fold by its content, or of a test subject where the protocol
            keeps people apart: the bank holds them, since other folds are trained on them.
        """
        trials = np.array(positions(self.tokens, keys), np.int64)
        check_fit_rows(self.tokens, trials, split, protocol)
        return Part(self, trials)


@dataclass(frozen=True)
class Part:
    """Trials of a bank (their positions, rising) that one fold may read; made by :meth:`RowBank.part`, which checks them."""

    bank: RowBank
    trials: np.ndarray

    @property
    def digests(self) -> list[str]:
        """Content of these trials, sorted."""
        return sorted(self.bank.tokens.trials[i].digest for i in self.trials)

    def scaler(self) -> Scaler:
        """The normalisation fitted on these trials."""
        return self.bank.moments.scaler(self.trials)

    def rows(self, scaler: Scaler) -> Rows:
        """Their rows as a normalisation has them: what :func:`himoe.data.rows.to_rows` makes of the scaled tokens."""
        tokens, raw = self.bank.tokens, self.bank.rows
        lengths = np.diff(tokens.offsets)[self.trials]
        at, repeats, offsets = self.trials, np.ones_like(lengths), None
        if raw.offsets is not None:  # a row is a token
            starts = np.cumsum(lengths) - lengths
            at = np.arange(lengths.sum()) + np.repeat(tokens.offsets[self.trials] - starts, lengths)
            repeats, offsets = lengths, np.append(starts, lengths.sum())
        level = scaler.mean
        if tokens.baseline is not None:
            level = level + np.repeat(scaler.baseline * tokens.baseline[self.trials], repeats, axis=0)
        presence = raw.presence[at]
        x = _scaled(raw.x[at], level, scaler, presence[:, raw.owner] > 0)
        filled = x if raw.filled is raw.x else _scaled(raw.filled[at], level, scaler, self.bank.ever[at][:, raw.owner])
        y = ((raw.y[at] - scaler.y_mean) / scaler.y_scale).astype(np.float32)
        names = raw.stimulus[at], raw.subject[at]
        return Rows(x, presence, *names, raw.owner, filled, offsets, raw.token_rate, y=y)


def _moments(people: list[Tokens], baseline: np.ndarray | None) -> Moments:
    """Of every trial, a person's tokens at a time: what is summed over takes twice their memory, and some copies."""
    parts = [Moments.of(tokens) for tokens in people]
    return Moments(_joined([part.x for part in parts]), _joined([part.y for part in parts]), baseline)


def _joined(parts: list[Summed]) -> Summed:
    n, mean, squares = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return n, mean, squares


def _rows(people: list[Tokens], offsets: np.ndarray) -> Rows:
    """Rows in the unit of the features; ``filled`` is x itself where nothing is absent."""
    parts = [to_rows(tokens) for tokens in people]
    x, presence, stimulus, subject, y = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "presence", "stimulus", "subject", "y")
    )
    gaps = any(part.filled is not part.x for part in parts)
    filled = np.concatenate([part.filled for part in parts]) if gaps else x
    of_trials = parts[0].offsets is None
    return Rows(
        x, presence, stimulus, subject, parts[0].owner, filled, None if of_trials else offsets, parts[0].token_rate, y=y
    )  # fmt: skip


def _scaled(x: np.ndarray, level: np.ndarray, scaler: Scaler, known: np.ndarray) -> np.ndarray:
    return np.where(known, (x - level) / scaler.scale, 0.0)
