"""The only place where folds are decided. A split is a table: fold, part, subject, trial, digest of its content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.store import SPLIT_COLUMNS
from himoe.types import HimoeError, TrialInfo

if TYPE_CHECKING:
    from himoe.settings import Splits


def loso(subjects: list[str], settings: Splits) -> list[list[str]]:
    """Leave one subject out: every subject is a test set once."""
    return [[s] for s in subjects]


def subject_kfold(subjects: list[str], settings: Splits) -> list[list[str]]:
    """Subjects shuffled by the seed, dealt to ``n_folds`` test sets whose sizes differ by one at most."""
    shuffled = np.random.default_rng(settings.seed).permutation(subjects).tolist()
    n_folds = min(settings.n_folds, len(subjects))
    return [sorted(shuffled[i::n_folds]) for i in range(n_folds)]


PROTOCOLS = {"loso": loso, "subject_kfold": subject_kfold}


def make_splits(protocol: str, trials: list[TrialInfo], settings: Splits) -> pd.DataFrame:
    """Folds of a protocol; inner validation holds out whole training subjects."""
    subjects = sorted({t.subject for t in trials})
    if len(subjects) < 3:
        raise HimoeError(f"{protocol}: {len(subjects)} subjects; training, inner validation and test need one each")
    rows = []
    for fold, test in enumerate(PROTOCOLS[protocol](subjects, settings)):
        rest = [s for s in subjects if s not in test]
        n_valid = max(1, round(settings.validation_fraction * len(rest)))
        n_valid = min(n_valid, len(rest) - 1)
        held = np.random.default_rng([settings.seed, 1 + fold]).permutation(rest)[:n_valid].tolist()
        part_of = dict.fromkeys(test, "test") | {s: "valid" if s in held else "train" for s in rest}
        rows += [(fold, part_of[t.subject], t.subject, t.trial, t.digest) for t in trials]
    return pd.DataFrame(rows, columns=SPLIT_COLUMNS)
