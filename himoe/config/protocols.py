"""Protocols: by which rule trials are split. Facts only, for the Snakefile too; :mod:`himoe.splits.make` makes the folds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from himoe.config.sections import Splits

MIN_SEEDS = 3  # below, the variance of seeds is known too badly for an interval to cover (tests/stats/test_intervals.py)


class Protocol(NamedTuple):
    """``title``: what a model is tested on; ``apart``: what training, validation and test rows never share (subject, stimulus,
    trial); ``windows``: whether windows of trials are split instead of trials; ``invalid``: why no result under it counts,
    empty where it does."""

    title: str
    apart: tuple[str, ...]
    windows: bool = False
    invalid: str = ""

    @property
    def independent(self) -> bool:
        """Whether a model is tested on people it was not trained on."""
        return "subject" in self.apart


PROTOCOLS = {
    "loso": Protocol("left-out person", ("subject", "trial")),
    "subject_kfold": Protocol("new people", ("subject", "trial")),
    "subject_stimulus": Protocol("new people, clips", ("subject", "stimulus", "trial")),
    "trial_kfold": Protocol("new trials", ("trial",)),
    "window_random": Protocol(
        "new windows", (), True, "windows of one trial, with its one label, stand on both sides of a split"
    ),
}


def n_subject_folds(protocol: str, n_subjects: int, splits: Splits) -> int:
    """Number of test sets that subjects are dealt to."""
    return n_subjects if protocol == "loso" else min(splits.n_folds, n_subjects)


def n_folds(protocol: str, n_subjects: int, splits: Splits) -> int:
    """Number of folds, known before any data is read."""
    if not PROTOCOLS[protocol].independent:
        return splits.n_folds
    per_subject_fold = splits.n_stimulus_folds if "stimulus" in PROTOCOLS[protocol].apart else 1
    return n_subject_folds(protocol, n_subjects, splits) * per_subject_fold


def lacks_seeds(protocol: str, n_seeds: int) -> bool:
    """Whether people share networks of so few seeds that no interval can hold the luck of training; under ``loso`` every
    person has networks of its own."""
    return protocol != "loso" and n_seeds < MIN_SEEDS


def shared_luck(n_seeds: int) -> str:
    """Why people who share networks of so few seeds support nothing."""
    return f"{n_seeds} seed(s) of networks that people share: for the luck of training the interval needs {MIN_SEEDS}"


def can_split(n: int, n_folds: int) -> bool:
    """Whether ``n`` names give every fold some to test on and leave, beside the most, one to train and one to validate on."""
    return n >= n_folds and n - -(-n // n_folds) >= 2


def too_few(n: int, n_folds: int) -> str:
    """Why ``n`` subjects cannot be split into as many folds, and what would do."""
    left = max(n - -(-n // n_folds), 0)
    remedy = f"set splits.n_folds to {n}, or use loso" if n > 2 else "it takes 3 people or more"
    return f"{n} subjects are too few for {n_folds} folds: {left} left to train and validate on, of 2 at least; {remedy}"


def can_split_stimuli(n: int, n_folds: int) -> bool:
    """The same of stimuli, of which there must be more than folds."""
    return n > n_folds and can_split(n, n_folds)
