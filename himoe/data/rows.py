"""Tokens as rows of a table, for estimators: one row per label (a trial, or a token where labels vary within it), gaps filled
beside gaps, and which rows lie around a row."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from types import ModuleType

import numpy as np

from himoe.types import HimoeError, Tokens


@dataclass(frozen=True)
class Inputs:
    """What an estimator predicts from; there is no label in it.

    x (n_rows, n_features) with 0 where absent; presence (n_rows, n_modalities): share of tokens present; stimulus (n_rows,)
    names; subject (n_rows,); owner (n_features,) int: whose a column is.

    ``filled`` is x with a modality's gaps interpolated over time within the trial; 0 where it is absent from the whole trial.
    Where rows are tokens, ``token_rate`` is their rate, Hz, and trial i is rows ``offsets[i]:offsets[i + 1]``; where a row is a
    whole trial there are no offsets.
    """

    x: np.ndarray
    presence: np.ndarray
    stimulus: np.ndarray
    subject: np.ndarray
    owner: np.ndarray
    filled: np.ndarray
    offsets: np.ndarray | None = None
    token_rate: float = 0.0

    def lags(self, seconds: float, step: float) -> np.ndarray:
        """Displacements in rows (n_lags,) int: 0, and every ``step`` s (at least a token) up to ``seconds`` either way; 0 alone
        where a row is a whole trial."""
        if self.offsets is None:
            return np.zeros(1, np.int64)
        stride = max(1, round(step * self.token_rate))
        n = round(seconds * self.token_rate) // stride
        return stride * np.arange(-n, n + 1)

    def at(self, lag: int) -> np.ndarray:
        """Which row lies ``lag`` rows after each one (n_rows,) int; beyond an end of its trial, the row at that end."""
        rows = np.arange(len(self.x))
        if self.offsets is None or not lag:
            return rows
        first, last = _ends(self.offsets)
        return np.clip(rows + lag, first, last)

    def ever(self) -> np.ndarray:
        """Whether a modality is present anywhere in a row's trial (n_rows, n_modalities) bool."""
        if self.offsets is None:
            return self.presence > 0
        return np.repeat(np.logical_or.reduceat(self.presence > 0, self.offsets[:-1], axis=0), np.diff(self.offsets), axis=0)


@dataclass(frozen=True)
class Rows(Inputs):
    """Rows with their labels, which an estimator is fitted on: y (n_rows, n_outputs), NaN where unknown."""

    y: np.ndarray = field(kw_only=True)

    def unlabelled(self) -> Inputs:
        """The same without them."""
        return Inputs(**{part.name: getattr(self, part.name) for part in fields(Inputs)})


def to_rows(tokens: Tokens) -> Rows:
    """Inputs and labels of these tokens."""
    y = tokens.y if tokens.layout.per_token else tokens.y[tokens.offsets[:-1]]
    return Rows(**vars(to_inputs(tokens)), y=y)


def to_inputs(tokens: Tokens) -> Inputs:
    """Means over each trial where there is one label per trial (x: of the tokens that are present); the tokens themselves
    otherwise."""
    lengths = np.diff(tokens.offsets)
    stimulus = np.array([t.stimulus for t in tokens.trials], object)
    subject = np.array([t.subject for t in tokens.trials], object)
    owner = np.repeat(np.arange(len(tokens.layout.features)), [len(n) for n in tokens.layout.features])
    columns = tokens.mask[:, owner]
    x = np.where(columns, tokens.x, 0.0).astype(np.float64)
    filled = interpolated(x, tokens.mask, owner, tokens.offsets)
    if tokens.layout.per_token:
        names = np.repeat(stimulus, lengths), np.repeat(subject, lengths)
        return Inputs(x, tokens.mask.astype(float), *names, owner, filled, tokens.offsets, tokens.layout.token_rate)
    starts = tokens.offsets[:-1]
    counts = np.add.reduceat(columns.astype(np.float64), starts, axis=0)
    mean = np.add.reduceat(x, starts, axis=0) / np.maximum(counts, 1)
    presence = np.add.reduceat(tokens.mask.astype(np.float64), starts, axis=0) / lengths[:, None]
    filled = np.add.reduceat(filled, starts, axis=0) / lengths[:, None]
    return Inputs(mean, presence, stimulus, subject, owner, filled)


def predicted_by(plugin: ModuleType, state: dict[str, np.ndarray], inputs: Inputs, n_outputs: int) -> np.ndarray:
    """An estimator's predictions (n_rows, n_outputs).

    Raises
    ------
    HimoeError
        With the model's name if they are anything but real numbers of that shape: of another they would be spread over rows
        or targets in silence.
    """
    predicted, shape = plugin.predict(state, inputs), (len(inputs.x), n_outputs)
    if isinstance(predicted, np.ndarray) and predicted.shape == shape and predicted.dtype.kind in "fiu":
        return predicted
    is_array = isinstance(predicted, np.ndarray)
    found = f"{predicted.dtype} of shape {predicted.shape}" if is_array else type(predicted).__name__
    raise HimoeError(
        f"{plugin.__name__}: predict gave {found}, expected numbers of shape {shape}: a row each, a column per target"
    )


def interpolated(x: np.ndarray, mask: np.ndarray, owner: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Tokens x (n, n_features) with every modality's gaps, by mask (n, n_modalities), filled linearly over time within a trial
    and held at its ends; 0 where it is absent from the whole trial."""
    if mask.all():
        return x
    n, rows, (first, last) = len(x), np.arange(len(x))[:, None], _ends(offsets)
    before = np.maximum.accumulate(np.where(mask, rows, -1), axis=0)  # (n, M): where it was last present, and is next
    after = np.minimum.accumulate(np.where(mask, rows, n)[::-1], axis=0)[::-1]
    none_before, none_after = before < first[:, None], after > last[:, None]
    earlier, later = np.where(none_before, after, before), np.where(none_after, before, after)
    out = np.zeros_like(x)
    for m in range(mask.shape[1]):
        columns, there = np.flatnonzero(owner == m), np.flatnonzero(~(none_before & none_after)[:, m])
        a, b = earlier[there, m], later[there, m]
        share = (there - a) / np.maximum(b - a, 1)  # of the later one
        out[np.ix_(there, columns)] = (1 - share)[:, None] * x[np.ix_(a, columns)] + share[:, None] * x[np.ix_(b, columns)]
    return out


def _ends(offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last row of each row's trial, (n,) int each."""
    lengths = np.diff(offsets)
    return np.repeat(offsets[:-1], lengths), np.repeat(offsets[1:] - 1, lengths)
