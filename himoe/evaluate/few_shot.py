"""What some rated trials of a new person are worth: each model's predictions with the person's own offset, and scale, scored on
that person's other trials.

A question of its own. Labels of test people are read on purpose, so none of this is in ``scores.csv`` and no claim is judged by
it; nothing is fitted again. The rated trials are drawn once, alike for all models, fewer among more. All numbers of trials,
0 among them, are scored on the same trials: those outside the largest number.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from himoe.stats.metrics import ccc
from himoe.stats.personal import Differences, Moments, differences, own_correction
from himoe.types import HimoeError, Split

STREAM = 2**23  # of the draw, apart from those of folds and of conditions
LEFT = 2  # trials that must be left to score
OFFSET, SCALED = "offset", "offset and scale"
CORRECTIONS = (OFFSET, SCALED)
COLUMNS = ["model", "seed", "subject", "target", "k", "correction", "metric", "value"]


class Rated(NamedTuple):
    """A person's trials in one fold: those that are rated, the first first, and those that are scored."""

    shown: list[str]
    scored: list[str]


class Rows(NamedTuple):
    """Labels of one person and target in one fold and a model's predictions of them, as deviations from the training mean;
    ``trial`` (n,) says of which."""

    trial: np.ndarray
    y: np.ndarray
    predicted: np.ndarray

    def of(self, trials: list[str]) -> Rows:
        """Those of some trials."""
        return Rows(*(column[np.isin(self.trial, trials)] for column in self))

    def moments(self, trials: list[str]) -> tuple[Moments, Moments]:
        """Of labels and of predictions, by trial."""
        parts = [self.trial == trial for trial in trials]
        return _moments([self.y[part] for part in parts]), _moments([self.predicted[part] for part in parts])


def few_shot(predictions: pd.DataFrame, splits: list[Split], counts: Sequence[int], seed: int) -> pd.DataFrame:
    """CCC and RMSE of every model, seed, person and target with each number of rated trials and each correction, as
    :data:`COLUMNS`; people who have too few trials in a fold are left out.

    ``predictions`` are those of one data set and protocol on clean input, of models whose labels no control changes.

    Raises
    ------
    HimoeError
        If a fold tests somebody whom its fits may read.
    """
    counts, labels = sorted({0, *counts}), labels_of(predictions)
    pieces: dict[tuple, list[tuple[np.ndarray, np.ndarray]]] = {}
    for split in splits:
        rated = draw_rated(split, max(counts), seed)
        people = {t: differences_known(labels, split, t) for t in labels["target"].unique()}
        of_fold = predictions[(predictions["fold"] == split.fold) & predictions["subject"].isin(list(rated))]
        for key, rows in _rows(of_fold):
            for k, correction, y, corrected in _corrections(rows, rated[key[2]], counts, people[key[3]]):
                pieces.setdefault((*key, k, correction), []).append((y, corrected))
    out = []
    for key, parts in sorted(pieces.items()):
        y, said = (np.concatenate(column) for column in zip(*parts, strict=True))
        out += [(*key, "ccc", ccc(y, said)), (*key, "rmse", float(np.sqrt(np.mean((y - said) ** 2))))]
    return pd.DataFrame(out, columns=COLUMNS)


def draw_rated(split: Split, most: int, seed: int) -> dict[str, Rated]:
    """Which trials of each test person of a fold are rated, and which are scored; without people of whom fewer than
    :data:`LEFT` would be left to score."""
    trials: dict[str, list[str]] = {}
    for subject, trial in sorted(split.test):
        trials.setdefault(subject, []).append(trial)
    out = {}
    for subject, names in trials.items():
        drawn = (
            np.random.default_rng([seed, STREAM, split.fold, zlib.crc32(subject.encode())])
            .permutation(np.array(names, object))
            .tolist()
        )
        if len(drawn) >= most + LEFT:
            out[subject] = Rated(drawn[:most], drawn[most:])
    return out


def labels_of(predictions: pd.DataFrame) -> pd.DataFrame:
    """Mean and mean square of the labels of each trial by ``subject``, ``trial`` and ``target``; no prediction is read."""
    first = predictions.iloc[:1]
    one = predictions.merge(first[["model", "seed"]], on=["model", "seed"])
    one = one[["subject", "trial", "target", "y_true"]].assign(square=one["y_true"].astype(float) ** 2)
    keys = ["subject", "trial", "target"]
    return one.groupby(keys, as_index=False).agg(mean=("y_true", "mean"), square=("square", "mean"))


def differences_known(labels: pd.DataFrame, split: Split, target: str) -> Differences:
    """How people's ratings differ, by those that the fits of a fold may read: of its training and validation people."""
    known = {**split.train, **split.valid}
    if both := {s for s, _ in known} & {s for s, _ in split.test}:
        raise HimoeError(f"few_shot: fold {split.fold} tests {min(both)}, whose ratings its fits may read")
    part = labels[labels["target"] == target]
    keys = [key for key in zip(part["subject"], part["trial"], strict=True) if key in known]
    part = part.set_index(["subject", "trial"]).loc[keys]
    moments = Moments(part["mean"].to_numpy(float), part["square"].to_numpy(float))
    return differences(moments, np.array([s for s, _ in keys]), np.array([split.stimulus[key] for key in keys]))


def _moments(trials: list[np.ndarray]) -> Moments:
    return Moments(np.array([values.mean() for values in trials]), np.array([(values**2).mean() for values in trials]))


def _rows(predictions: pd.DataFrame) -> Iterator[tuple[tuple, Rows]]:
    """(model, seed, subject, target) and its rows."""
    y, predicted, reference = (predictions[c].to_numpy(float) for c in ("y_true", "y_pred", "y_reference"))
    trial = predictions["trial"].to_numpy(str)
    for key, at in predictions.groupby(["model", "seed", "subject", "target"]).indices.items():
        yield key, Rows(trial[at], y[at] - reference[at], predicted[at] - reference[at])


def _corrections(
    rows: Rows, rated: Rated, counts: list[int], people: Differences
) -> Iterator[tuple[int, str, np.ndarray, np.ndarray]]:
    """(number of trials, correction, labels, corrected predictions) of the trials that are scored."""
    scored = rows.of(rated.scored)
    for k in counts:
        labels, predicted = rows.moments(rated.shown[:k])
        for correction in CORRECTIONS:
            said = scored.predicted
            if k:
                said = own_correction(labels, predicted, people, correction == SCALED).corrected(said)
            yield k, correction, scored.y, said
