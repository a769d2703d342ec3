"""Frozen records that the whole package shares. Arrays are numpy; shapes are given beside each field."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np


def printable(text: str, most: int = 2000) -> str:
    """``text``, cut, with what a terminal would obey and what is not UTF-8 escaped."""
    kept = text if len(text) <= most else f"{text[:most]} ..."
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in kept)


class HimoeError(Exception):
    """An error a user can act on: one line that says what, where, and what to do."""

    def __init__(self, message: str):
        super().__init__(printable(message))


@dataclass(frozen=True)
class Modality:
    """One recorded modality of a data set. ``features`` names the recipe in :mod:`himoe.signal.features`; ``normalise`` is
    ``session`` (z-score of each feature over one session of one person, label-free; a run may choose otherwise) or ``none``.
    ``unit``: one of :mod:`himoe.signal.units`, or one for each channel joined by commas. ``max_gap`` (s) is of an irregular
    series: between values further apart nothing is known; ``sfreq`` is then the rate of the grid that it is brought onto."""

    name: str
    channels: tuple[str, ...]
    sfreq: float
    unit: str
    features: str
    normalise: str = "session"
    max_gap: float = 0.0

    def normalised(self, choice: str) -> str:
        """How a run that chose ``session``, ``calibration`` or ``none`` normalises it."""
        return choice if self.normalise == "session" else self.normalise


@dataclass(frozen=True)
class Edition:
    """One form in which a data set is handed out. ``files`` are globs below its folder in which ``{subject}`` stands for an id,
    ``archives`` globs of the zip files they come in. Files of ``common`` belong to all subjects and may stand in another
    folder or other archives (``common_archives``), by which the edition is not recognised."""

    name: str
    files: tuple[str, ...]
    archives: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    common_archives: tuple[str, ...] = ()

    def patterns(self, subject: str = "*") -> tuple[str, ...]:
        """Globs of one subject's files, or of everyone's."""
        return tuple(f.replace("{subject}", subject) for f in self.files) + self.common

    def complete(self, root: Path, subjects: tuple[str, ...]) -> list[Record]:
        """The files below ``root`` of each of these subjects that has all of them, named by one pattern a file."""
        files = {s: self.patterns(s) for s in subjects}
        return [Record(s, names, self.name) for s, names in files.items() if all((root / n).is_file() for n in names)]


@dataclass(frozen=True)
class Download:
    """A file of an edition on its owners' server, saved as ``name``. ``sha256`` is the published one, empty where there is
    none; ``hosts`` are those it may redirect to; ``credentials`` names the variables of user name and password."""

    edition: str
    url: str
    name: str
    sha256: str = ""
    hosts: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatasetInfo:
    """Facts of a data set, written as literals so that the DAG can read them without importing the plug-in. The first of
    ``editions`` is preferred where several are there. ``folder`` is a second name its folder under ``data_root`` may have (the
    first is the plug-in's)."""

    title: str
    citation: str
    licence: str
    access: str
    editions: tuple[Edition, ...]
    subjects: tuple[str, ...]
    n_trials: int | None
    seconds: float | None
    modalities: tuple[Modality, ...]
    targets: tuple[str, ...]
    default_targets: tuple[str, ...]
    target_range: tuple[float, float]
    per_token: bool
    token_rate: float
    token_window: float
    caveats: tuple[str, ...] = ()
    folder: str = ""
    downloads: tuple[Download, ...] = ()

    def without_words(self) -> DatasetInfo:
        """The facts that numbers depend on: without what is only printed, and without where the files come from."""
        return replace(self, title="", citation="", licence="", access="", caveats=(), folder="", editions=(), downloads=())


@dataclass(frozen=True)
class Size:
    """How much of a data set there is to read: the original's size, or a twin's. ``n_trials`` (of each subject) and ``seconds``
    (of each trial) are None where they differ."""

    subjects: tuple[str, ...]
    n_trials: int | None
    seconds: float | None

    def per_subject(self) -> tuple[int, float]:
        """(n_trials, seconds) of a data set in which they are the same for all; HimoeError where they differ."""
        if self.n_trials is None or self.seconds is None:
            raise HimoeError("trials differ in number or length: their size is not known before they are read")
        return self.n_trials, self.seconds


@dataclass(frozen=True)
class Record:
    """The files of one subject, relative to the folder they are read from, and the edition they are of."""

    subject: str
    files: tuple[str, ...]
    edition: str


@dataclass(frozen=True)
class Signal:
    """A recording: ``data`` (n_chans, n_times), ``start`` in s from stimulus onset. A reader yields it in its modality's unit,
    an irregular series with ``times`` (n_times,), s; behind the door (:mod:`himoe.data.door`) it is regular and in SI units."""

    data: np.ndarray
    sfreq: float
    start: float = 0.0
    times: np.ndarray | None = None


@dataclass(frozen=True)
class Trial:
    """One stimulus seen by one subject. ``targets`` is (n_outputs,) or, where labels vary within the trial,
    (n_labels, n_outputs) at ``target_times``. A modality that was not recorded is absent from ``signals``. ``baseline`` holds
    pre-trial recordings that are separate from the trial; one that runs into it is part of ``signals`` at negative times."""

    subject: str
    session: str
    trial: str
    stimulus: str
    seconds: float
    signals: dict[str, Signal]
    targets: np.ndarray
    target_times: np.ndarray | None = None
    baseline: dict[str, Signal] = field(default_factory=dict)


@dataclass(frozen=True)
class TrialInfo:
    """What identifies a trial; ``digest`` is the SHA-256 of its tokens' bytes."""

    subject: str
    session: str
    trial: str
    stimulus: str
    digest: str


@dataclass(frozen=True)
class Layout:
    """What the columns of :class:`Tokens` hold."""

    modalities: tuple[str, ...]
    features: tuple[tuple[str, ...], ...]
    targets: tuple[str, ...]
    token_rate: float
    per_token: bool

    @property
    def slices(self) -> dict[str, slice]:
        """Columns of ``Tokens.x`` that belong to each modality."""
        out, start = {}, 0
        for name, names in zip(self.modalities, self.features, strict=True):
            out[name] = slice(start, start + len(names))
            start += len(names)
        return out

    @property
    def n_features(self) -> int:
        """Number of columns of ``Tokens.x``."""
        return sum(len(names) for names in self.features)


@dataclass(frozen=True)
class Tokens:
    """Trials on one token clock, one after the other.

    x : (n_tokens, n_features) float32, 0 where absent · mask : (n_tokens, n_modalities) bool ·
    time : (n_tokens,) float32, seconds from stimulus onset · y : (n_tokens, n_outputs) float32, NaN where unlabelled ·
    offsets : (n_trials + 1,) int64, trial i is ``offsets[i]:offsets[i + 1]`` · baseline : (n_trials, n_features) float32,
    level before the trial in the unit of ``x``, not yet subtracted, 0 where unknown; None where there is none to subtract."""

    x: np.ndarray
    mask: np.ndarray
    time: np.ndarray
    y: np.ndarray
    offsets: np.ndarray
    trials: tuple[TrialInfo, ...]
    layout: Layout
    baseline: np.ndarray | None = None

    def select(self, keep: list[int]) -> Tokens:
        """The trials at these positions, in this order."""
        import numpy as np

        rows = [np.arange(self.offsets[i], self.offsets[i + 1]) for i in keep]
        at = np.concatenate(rows) if rows else np.zeros(0, np.int64)
        offsets = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64)
        trials = tuple(self.trials[i] for i in keep)
        baseline = None if self.baseline is None else self.baseline[np.array(keep, np.int64)]
        return Tokens(self.x[at], self.mask[at], self.time[at], self.y[at], offsets, trials, self.layout, baseline)

    @staticmethod
    def concatenate(parts: list[Tokens]) -> Tokens:
        """Join several subjects' tokens; layouts must agree."""
        import numpy as np

        layout = parts[0].layout
        if any(part.layout != layout for part in parts):
            raise HimoeError("tokens of different layouts cannot be joined: prepare the subjects again")
        lengths = np.concatenate([np.diff(part.offsets) for part in parts])
        x, mask, time, y = (np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "mask", "time", "y"))
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        trials = tuple(trial for part in parts for trial in part.trials)
        levels = [(len(part.trials), part.baseline) for part in parts]
        none = all(level is None for _, level in levels)
        filled = [np.zeros((n, layout.n_features), np.float32) if level is None else level for n, level in levels]
        return Tokens(x, mask, time, y, offsets, trials, layout, None if none else np.concatenate(filled))


Keys = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Split:
    """One fold. Each part maps ``(subject, trial)`` to the digest of that trial's content; ``stimulus`` names what was seen."""

    fold: int
    train: Keys
    valid: Keys
    test: Keys
    stimulus: Keys = field(default_factory=dict)

    @property
    def read(self) -> list[str]:
        """Digests of what a fit may read: training and validation rows, sorted."""
        return sorted([*self.train.values(), *self.valid.values()])


@dataclass(frozen=True)
class BuildContext:
    """All a model may know before it sees data."""

    layout: Layout
    n_times: int
    n_parameters: int | None = None

    @property
    def n_outputs(self) -> int:
        """Number of targets."""
        return len(self.layout.targets)


class Batch(NamedTuple):
    """What a torch model reads: x (B, T, n_features), mask (B, T, M) bool, time (B, T) s from the window's start,
    valid (B, T) bool, trial (B,) int: an id equal for windows of one trial; y (B, T, n_outputs) standardised targets,
    NaN where unknown, None outside training."""

    x: Any
    mask: Any
    time: Any
    valid: Any
    trial: Any
    y: Any = None


class Output(NamedTuple):
    """What a torch model gives back: prediction (B, T, n_outputs) in training-standardised units, ``losses``
    (name -> scalar, already times its weight) and ``routing``: name -> (B, T, n, ...) per step, (B, n) or a scalar."""

    prediction: Any
    losses: dict[str, Any]
    routing: dict[str, Any]
