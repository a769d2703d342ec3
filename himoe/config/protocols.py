"""How a run's trials are parted: names and facts, read by the Snakefile too; :mod:`himoe.splits.make` makes the folds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from himoe.config.sections import Splits


class Protocol(NamedTuple):
    """``title``: what a model is judged on; ``apart``: what the parts of a fold never share (subject, stimulus, trial);
    ``windows``: whether windows of trials are parted, not trials; ``invalid``: why no result under it counts, empty where it
    does."""

    title: str
    apart: tuple[str, ...]
    windows: bool = False
    invalid: str = ""

    @property
    def independent(self) -> bool:
        """Whether a model is judged on people it has not seen."""
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


def n_folds(protocol: str, n_subjects: int, splits: Splits) -> int:
    """Number of folds, known before any data is read."""
    if protocol == "loso":
        return n_subjects
    if protocol == "subject_kfold":
        return min(splits.n_folds, n_subjects)
    if protocol == "subject_stimulus":
        return min(splits.n_folds, n_subjects) * splits.n_stimulus_folds
    return splits.n_folds
