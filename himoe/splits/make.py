"""The only place where folds are decided. A split is a table: fold, part, subject, trial, stimulus, digest of its content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.config.protocols import PROTOCOLS, can_split, can_split_stimuli, n_subject_folds, too_few
from himoe.splits.files import SPLIT_COLUMNS
from himoe.types import HimoeError, TrialInfo

if TYPE_CHECKING:
    from himoe.config.sections import Splits

Parts = np.ndarray  # (n_trials,) of "train", "valid", "test", or "" where a trial takes no part in the fold


def deal(names: list[str], n: int, rng: np.random.Generator) -> list[list[str]]:
    """Names shuffled and dealt to ``n`` hands whose sizes differ by one at most."""
    shuffled = rng.permutation(np.array(names, object)).tolist()
    return [sorted(shuffled[i::n]) for i in range(n)]


def held_out(names: list[str], settings: Splits, *stream: int) -> list[str]:
    """The share of these names that inner validation takes: one at least, and one at least is left."""
    n = min(max(1, round(settings.validation_fraction * len(names))), len(names) - 1)
    return np.random.default_rng([settings.seed, *stream]).permutation(np.array(names, object))[:n].tolist()


def by_subject(trials: list[TrialInfo], tested: list[list[str]], settings: Splits) -> Iterator[Parts]:
    """Whole subjects are tested, validated on, trained on."""
    subject = np.array([t.subject for t in trials], object)
    for fold, test in enumerate(tested):
        rest = [s for s in sorted(set(subject)) if s not in test]
        held = held_out(rest, settings, 1 + fold)
        yield np.where(np.isin(subject, test), "test", np.where(np.isin(subject, held), "valid", "train"))


def loso(trials: list[TrialInfo], settings: Splits) -> Iterator[Parts]:
    """Leave one subject out: every subject is a test set once."""
    return by_subject(trials, [[s] for s in sorted({t.subject for t in trials})], settings)


def subject_kfold(trials: list[TrialInfo], settings: Splits) -> Iterator[Parts]:
    """Subjects shuffled by the seed, dealt to ``n_folds`` test sets."""
    subjects = sorted({t.subject for t in trials})
    tested = deal(subjects, min(settings.n_folds, len(subjects)), np.random.default_rng(settings.seed))
    return by_subject(trials, tested, settings)


def subject_stimulus(trials: list[TrialInfo], settings: Splits) -> Iterator[Parts]:
    """Test subjects on test stimuli; no other trial of either is used. Inner validation is parted in the same way."""
    stimulus = np.array([t.stimulus for t in trials], object)
    names = sorted(set(stimulus))
    if not can_split_stimuli(len(names), settings.n_stimulus_folds):
        n_folds = settings.n_stimulus_folds
        raise HimoeError(f"subject_stimulus: {len(names)} stimuli are too few for splits.n_stimulus_folds: {n_folds}")
    for n, test in enumerate(deal(names, settings.n_stimulus_folds, np.random.default_rng([settings.seed, 2**20]))):
        rest = [s for s in names if s not in test]
        held = held_out(rest, settings, 2**20, 1 + n)
        of = np.where(np.isin(stimulus, test), "test", np.where(np.isin(stimulus, held), "valid", "train"))
        for parts in subject_kfold(trials, settings):
            yield np.where(parts == of, parts, "")


def trial_kfold(trials: list[TrialInfo], settings: Splits) -> Iterator[Parts]:
    """Each subject's trials dealt to ``n_folds`` test sets: a model knows the people it is judged on."""
    keys = np.array([f"{t.subject}\n{t.trial}" for t in trials], object)
    subjects = sorted({t.subject for t in trials})
    trials_of = {s: [k for k, t in zip(keys, trials, strict=True) if t.subject == s] for s in subjects}
    if few := [s for s in subjects if not can_split(len(trials_of[s]), settings.n_folds)]:
        raise HimoeError(
            f"subject-dependent splits: {len(trials_of[few[0]])} trials of {few[0]} are too few for {settings.n_folds} folds"
        )
    hands = {
        s: deal(trials_of[s], settings.n_folds, np.random.default_rng([settings.seed, 2**21, i]))
        for i, s in enumerate(subjects)
    }
    for fold in range(settings.n_folds):
        test = {k for s in subjects for k in hands[s][fold]}
        rest = {s: [k for k in trials_of[s] if k not in test] for s in subjects}
        held = {k for i, s in enumerate(subjects) for k in held_out(rest[s], settings, 2**21, i, fold)}
        yield np.array(["test" if k in test else "valid" if k in held else "train" for k in keys])


MAKERS = {
    "loso": loso, "subject_kfold": subject_kfold, "subject_stimulus": subject_stimulus, "trial_kfold": trial_kfold,
    "window_random": trial_kfold,  # of windows in the place of trials
}  # fmt: skip


def make_splits(protocol: str, trials: list[TrialInfo], settings: Splits) -> pd.DataFrame:
    """Folds of a protocol; ``trials`` are windows where the protocol parts windows."""
    n_subjects = len({t.subject for t in trials})
    n_folds = n_subject_folds(protocol, n_subjects, settings)
    if PROTOCOLS[protocol].independent and not can_split(n_subjects, n_folds):
        raise HimoeError(f"{protocol}: {too_few(n_subjects, n_folds)}")
    rows = []
    for fold, parts in enumerate(MAKERS[protocol](trials, settings)):
        rows += [(fold, part, t.subject, t.trial, t.stimulus, t.digest) for t, part in zip(trials, parts, strict=True) if part]
    return pd.DataFrame(rows, columns=SPLIT_COLUMNS)
