"""Split files: what fold each trial is in, and as what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from himoe import io
from himoe.types import HimoeError, Split

PARTS = ("train", "valid", "test")
SPLIT_COLUMNS = ["fold", "part", "subject", "trial", "stimulus", "digest"]


def read_splits(path: str | Path) -> list[Split]:
    """Every fold of a split file.

    Parameters
    ----------
    path
        ``results/DATASET/splits/PROTOCOL.csv`` of a run: columns fold, part, subject, trial, stimulus, digest.

    Returns
    -------
    list of Split
        In the order of their numbers.

    Raises
    ------
    HimoeError
        If it cannot be read, a trial stands twice in a fold, or a fold lacks a part.

    Examples
    --------
    >>> import himoe, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "loso.csv")
    >>> rows = ["0,train,a,1,film,x", "0,valid,b,1,film,y", "0,test,c,1,film,z"]
    >>> _ = path.write_text("\\n".join(["fold,part,subject,trial,stimulus,digest", *rows]))
    >>> himoe.splits.read_splits(path)[0].test
    {('c', '1'): 'z'}
    """
    try:
        frame = io.read_table(path, dtype=dict.fromkeys(SPLIT_COLUMNS[1:], str))[SPLIT_COLUMNS]
        if frame.isna().any(axis=None) or frame["fold"].dtype.kind != "i":
            raise ValueError("a value is absent, or a fold is no whole number")
        if frame.duplicated(["fold", "subject", "trial"]).any():
            raise ValueError("a trial stands twice in a fold")
        known = set(frame["part"]) <= set(PARTS)
        groups = {
            (int(fold), part): {(r.subject, r.trial): r.digest for r in rows.itertuples()}
            for (fold, part), rows in frame.groupby(["fold", "part"])
        }
        stimuli = {(r.subject, r.trial): r.stimulus for r in frame.itertuples()}
    except (OSError, ValueError, KeyError) as error:
        raise HimoeError(f"{path}: not a split file ({error})") from error
    folds = sorted({fold for fold, _ in groups})
    if not known or any((fold, part) not in groups for fold in folds for part in PARTS):
        raise HimoeError(f"{path}: every fold needs train, valid and test rows and nothing else")
    return [Split(n, groups[n, "train"], groups[n, "valid"], groups[n, "test"], stimuli) for n in folds]


def folds_of(splits: list[Split], numbers: Sequence[int]) -> list[Split]:
    """The folds with these numbers; where subjects are absent there are fewer folds than were planned."""
    return [split for split in splits if split.fold in set(numbers)]
