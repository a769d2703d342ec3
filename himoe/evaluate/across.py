"""Fits of one data set, tested on the people of another: nothing is fitted, and :mod:`himoe.evaluate.predict` predicts.

Every fold's network meets all people of the other data set. Features go by name; scaler, baseline coefficient and calibration
are those of the fit; a rating is brought to the other scale by the ends of both (1 to 9 -> 1 to 5: 7 is 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from himoe import io
from himoe.config.sections import Execution
from himoe.config.spec import FitSpec
from himoe.data.reader import Reader
from himoe.data.tokens import read_tokens
from himoe.data.views import matching
from himoe.evaluate.conditions import Conditions
from himoe.evaluate.predict import predict_shard
from himoe.splits.files import folds_of, read_splits
from himoe.train.results import read_shard
from himoe.types import Split, Tokens

Scale = tuple[float, float]
RATED = ("y_pred", "y_raw", "y_reference")


def predict_across(
    spec: FitSpec, execution: Execution, home_tokens: Path, splits: Path, weights: Path, record: Path, other: str,
    other_tokens: Sequence[Path], scales: tuple[Scale, Scale],
) -> pd.DataFrame:  # fmt: skip
    """Predictions of a shard's folds of all trials of the data set ``other``, in units of its ratings, as ``tested_on``.

    ``home_tokens`` is a file of the data set that was fitted: it says which features, in which order. ``scales`` are the ends
    of its ratings and of the other's.
    """
    spec.check_record(record, io.read_json(record))
    reader = Reader(other_tokens, spec.view)
    tokens = renamed(matching(reader.load(set(reader.paths)), read_tokens(home_tokens).layout), other)
    folds = [tested_on(fold, tokens) for fold in folds_of(read_splits(splits), spec.folds)]

    def load(subjects: set[str]) -> Tokens:
        return tokens.select([i for i, t in enumerate(tokens.trials) if t.subject in subjects])

    said, _ = predict_shard(spec, execution, folds, read_shard(weights, record), load, Conditions({}, 0), represents=False)
    subject = said["subject"].str.removeprefix(f"{other}/")
    return said.assign(subject=subject, tested_on=other, **{name: rescaled(said[name], *scales) for name in RATED})


def renamed(tokens: Tokens, dataset: str) -> Tokens:
    """With the data set before the names of people and stimuli: s01 of two data sets are two people."""
    trials = (replace(t, subject=f"{dataset}/{t.subject}", stimulus=f"{dataset}/{t.stimulus}") for t in tokens.trials)
    return replace(tokens, trials=tuple(trials))


def tested_on(fold: Split, tokens: Tokens) -> Split:
    """A fold that tests all of these trials instead of its own; what is trained and validated on stays."""
    stimulus = fold.stimulus | {(t.subject, t.trial): t.stimulus for t in tokens.trials}
    return replace(fold, test={(t.subject, t.trial): t.digest for t in tokens.trials}, stimulus=stimulus)


def rescaled(ratings: pd.Series, scale: Scale, other: Scale) -> pd.Series:
    """Ratings on one scale as ratings on another, by the ends of both."""
    return other[0] + (ratings - scale[0]) * ((other[1] - other[0]) / (scale[1] - scale[0]))
