"""Leakage guards, asserted at run time wherever a fold is used. A violation stops the run."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from himoe.config.protocols import PROTOCOLS
from himoe.names import trial_of
from himoe.types import HimoeError, Keys, Split, Tokens


def check_split(split: Split, protocol: str) -> None:
    """Parts share no content (by hash, so one subject under two ids is caught), and nothing else that the protocol keeps apart.

    Parameters
    ----------
    split
        A fold.
    protocol
        By which it was made: ``loso``, ``subject_kfold``, ``subject_stimulus``, ``trial_kfold``, ``window_random``.

    Raises
    ------
    HimoeError
        Naming protocol, fold, parts and what they share.

    Examples
    --------
    >>> import himoe
    >>> leaky = himoe.Split(0, train={("a", "1"): "x"}, valid={("b", "1"): "y"}, test={("a", "2"): "z"})
    >>> himoe.splits.check_split(leaky, "loso")
    Traceback (most recent call last):
    himoe.types.HimoeError: loso fold 0: leakage between train and test: subject a is in both
    """
    parts = {"train": split.train, "valid": split.valid, "test": split.test}
    for (a, rows_a), (b, rows_b) in combinations(parts.items(), 2):
        where = f"{protocol} fold {split.fold}: leakage between {a} and {b}"
        for what in PROTOCOLS[protocol].apart:
            if both := {_what(what, key, split) for key in rows_a} & {_what(what, key, split) for key in rows_b}:
                raise HimoeError(f"{where}: {what} {sorted(both)[0]} is in both")
        owner = {digest: key for key, digest in rows_a.items()}
        for key, digest in sorted(rows_b.items()):
            if digest in owner:
                raise HimoeError(f"{where}: {' '.join(key)} has the content of {' '.join(owner[digest])}")


def _what(what: str, key: tuple[str, str], split: Split) -> str:
    if what == "stimulus":
        return split.stimulus[key]
    return key[0] if what == "subject" else f"{key[0]} {trial_of(key[1])}"


def labels_of(tokens: Tokens) -> dict[tuple[str, str], set[str]]:
    """(subject, trial) -> targets of which it has a label."""
    if not tokens.trials:
        return {}
    known = np.logical_or.reduceat(np.isfinite(tokens.y), tokens.offsets[:-1], axis=0)  # (n_trials, n_outputs)
    targets = tokens.layout.targets
    return {
        (t.subject, t.trial): {targets[k] for k in np.flatnonzero(row)} for t, row in zip(tokens.trials, known, strict=True)
    }


def check_fold(split: Split, protocol: str, labels: dict[tuple[str, str], set[str]], targets: tuple[str, ...]) -> None:
    """As :func:`check_split`; HimoeError also naming a target of which the training part has no label at all (``labels``:
    what :func:`labels_of` says of every trial): whatever a model says of it is nothing."""
    check_split(split, protocol)
    known: set[str] = set().union(*(labels[key] for key in split.train))
    if absent := [name for name in targets if name not in known]:
        raise HimoeError(
            f"{protocol} fold {split.fold}: no trial of its training part has a label of {absent[0]}; choose other splits, or "
            "other targets"
        )


def check_fit_rows(tokens: Tokens, trials: np.ndarray, split: Split, protocol: str) -> None:
    """What a fold is about to touch of tokens that other folds share: no test row by its content, and nobody of its test people
    where the protocol keeps people apart.

    Raises
    ------
    HimoeError
        Naming protocol, fold and the first such trial or person.
    """
    where = f"{protocol} fold {split.fold}"
    touched = [tokens.trials[i] for i in trials]
    check_unseen(sorted(trial.digest for trial in touched), split.test, where)
    tested = {trial.subject for trial in touched} & {subject for subject, _ in split.test}
    if tested and PROTOCOLS[protocol].independent:
        raise HimoeError(f"leakage: {where} would be trained on test subject {min(tested)}")


def check_unseen(seen: list[str], test: Keys, where: str) -> None:
    """No digest of a test trial is among those a fit has read."""
    owner = {digest: key for key, digest in test.items()}
    if both := set(seen) & set(owner):
        key = owner[sorted(both)[0]]
        raise HimoeError(f"{where}: the weights were fitted on test trial {' '.join(key)}")


def check_within(fewer: Split, whole: Split) -> None:
    """A fold of fewer people has of each part of the whole fold some trials and no others, and the same to test on."""
    for part in ("train", "valid"):
        if added := getattr(fewer, part).items() - getattr(whole, part).items():
            raise HimoeError(f"fold {whole.fold}: {' '.join(min(added)[0])} is not in its {part} part")
    if fewer.test != whole.test:
        raise HimoeError(f"fold {whole.fold}: a fold of fewer people tests others than the whole fold")


def select(tokens: Tokens, keys: Keys) -> Tokens:
    """The trials of one part of a fold.

    Parameters
    ----------
    tokens
        All trials.
    keys
        (subject, trial) -> digest of its content, as ``train``, ``valid`` and ``test`` of a split have it.

    Returns
    -------
    Tokens
        In the order in which they stand.

    Raises
    ------
    HimoeError
        If one is absent or not the one the split saw.

    Examples
    --------
    >>> import himoe
    >>> tokens, _ = himoe.simulate(people=3, trials=2, seconds=20)
    >>> keys = {(t.subject, t.trial): t.digest for t in tokens.trials if t.subject == "p02"}
    >>> [t.trial for t in himoe.splits.select(tokens, keys).trials]
    ['v01', 'v02']
    """
    return tokens.select(positions(tokens, keys))


def positions(tokens: Tokens, keys: Keys) -> list[int]:
    """Where the trials with these keys are, in rising order; HimoeError if one is absent or not the one the split saw."""
    at = {(t.subject, t.trial): i for i, t in enumerate(tokens.trials)}
    for (subject, trial), digest in keys.items():
        if (subject, trial) not in at:
            raise HimoeError(f"split names {subject} {trial}, which was not prepared; delete the split file and run again")
        if tokens.trials[at[subject, trial]].digest != digest:
            raise HimoeError(f"{subject} {trial} changed since the split was made; delete the split file and run again")
    return sorted(at[key] for key in keys)
