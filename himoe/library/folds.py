"""Folds for tokens of one's own, by the protocols of the workflow."""

from __future__ import annotations

from himoe.config.protocols import PROTOCOLS
from himoe.config.sections import Splits
from himoe.library.settings import section
from himoe.registry import hint
from himoe.splits.files import PARTS
from himoe.splits.make import make_splits
from himoe.types import HimoeError, Split, Tokens


def make_folds(
    tokens: Tokens, protocol: str = "loso", *, n_folds: int = 8, validation_fraction: float = 0.25, seed: int = 0
) -> list[Split]:  # fmt: skip
    """Who is trained on, who chooses the epoch, who is tested.

    Parameters
    ----------
    tokens
        Trials, with whose they are and what was seen.
    protocol
        ``loso`` (leave one person out), ``subject_kfold``, ``subject_stimulus`` (people and stimuli both new) or
        ``trial_kfold`` (people known).
    n_folds
        Test sets of every protocol but ``loso``.
    validation_fraction
        Share of the training people (of ``trial_kfold``: trials) that inner validation takes.
    seed
        Of who falls where.

    Returns
    -------
    list of Split
        ``train``, ``valid`` and ``test`` map (subject, trial) to the digest of its content: :func:`himoe.splits.select` takes
        the trials, :func:`himoe.splits.check_split` asserts that nothing stands on both sides.

    Raises
    ------
    HimoeError
        If there is no such protocol, or people, trials or stimuli are too few.

    Examples
    --------
    >>> import himoe
    >>> tokens, _ = himoe.simulate(people=4, trials=2, seconds=20)
    >>> folds = himoe.splits.make_folds(tokens, "loso")
    >>> len(folds), sorted({subject for subject, _ in folds[0].test})
    (4, ['p01'])
    >>> test = himoe.splits.select(tokens, folds[0].test)
    >>> len(test.trials)
    2
    """
    if protocol not in PROTOCOLS or PROTOCOLS[protocol].windows:
        known = [name for name, of in PROTOCOLS.items() if not of.windows]
        raise HimoeError(f"splits: there is no protocol '{protocol}'; {hint(protocol, known)} valid names: {', '.join(known)}")
    given = {"n_folds": n_folds, "validation_fraction": validation_fraction, "seed": seed}
    settings = section(Splits, given, "splits")
    frame = make_splits(protocol, list(tokens.trials), settings)
    seen = {(t.subject, t.trial): t.stimulus for t in tokens.trials}
    folds = []
    for number, rows in frame.groupby("fold"):
        parts = (rows[rows["part"] == part] for part in PARTS)
        train, valid, test = ({(r.subject, r.trial): r.digest for r in part.itertuples()} for part in parts)
        folds.append(Split(int(number), train, valid, test, seen))
    return folds
