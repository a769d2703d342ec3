"""From recordings to tokens: features on the shared clock and the level before the trial, normalised within the session."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from himoe import io
from himoe.signal.clock import token_times
from himoe.signal.features import recipe
from himoe.signal.quality import COUNTED, REASONS, gate, implausible
from himoe.signal.units import units_of
from himoe.types import DatasetInfo, HimoeError, Layout, Modality, Signal, Tokens, Trial, TrialInfo

MAX_LABEL_STEPS = 2.5  # a longer pause between two annotations is a gap without labels
Options = dict[str, dict[str, Any]]  # section of ``features`` in the config -> its settings


def layout_of(info: DatasetInfo, targets: tuple[str, ...]) -> Layout:
    """The columns that a data set's tokens have."""
    features = tuple(recipe(m.features).names(m.channels) for m in info.modalities)
    return Layout(tuple(m.name for m in info.modalities), features, targets, info.token_rate, info.per_token)


def prepare_subject(
    info: DatasetInfo, trials: Iterable[Trial], targets: tuple[str, ...], options: Options, lag: float = 0.0
) -> tuple[Tokens, dict[str, dict[str, int]]]:
    """Tokens of one subject, and what the quality gate counted: modality -> name -> number.

    A modality's token is present where at least ``options["quality"]["min_measured"]`` of its features could be measured;
    features that could not are then at their session mean (0 after normalisation). Normalisation sees one subject's signals and
    no label; with ``options["normalise"]["by"]`` = calibration those of the first ``["trials"]`` trials of each session alone.
    These are left out of the tokens, whatever the normalisation. First is what the reader reads first. Nothing is subtracted
    here: ``Tokens.baseline`` is the level before each trial, on its features' scale. ``lag`` (s): annotators' reaction time;
    the label of time t is the annotation at t + lag.
    """
    layout = layout_of(info, targets)
    chosen = [info.targets.index(name) for name in targets]
    quality = {m.name: dict.fromkeys(COUNTED, 0) for m in info.modalities}
    features: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {m.name: [] for m in info.modalities}
    names, times, labels = [], [], []
    for trial in trials:
        clock = token_times(trial.seconds, info.token_rate, info.token_window)
        if not len(clock):
            raise HimoeError(f"{trial.subject} {trial.trial}: {trial.seconds:g} s is shorter than one token window")
        names.append((trial.subject, trial.session, trial.trial, trial.stimulus))
        times.append(clock)
        labels.append(_targets(trial, clock, lag)[:, chosen])
        for m in info.modalities:
            features[m.name].append(_features(trial, m, info, clock, options, quality[m.name]))
    if not names:
        return _no_trials(layout), quality
    lengths = [len(clock) for clock in times]
    sessions = Sessions(np.array([session for _, session, _, _ in names]), np.array(lengths), options["normalise"]["trials"])
    if not (kept := sessions.kept()):
        raise HimoeError(f"{names[0][0]}: no session has more than features.calibration_trials: {sessions.n_first} trials")
    parts = [_complete(m, features[m.name], sessions, options, quality[m.name]) for m in info.modalities]
    x, level = (np.concatenate([part[i] for part in parts], axis=1).astype(np.float32) for i in (0, 1))
    mask = np.stack([present for _, _, present in parts], axis=1)  # (n_tokens, n_modalities)
    time, y = np.concatenate(times).astype(np.float32), np.concatenate(labels).astype(np.float32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    spans = zip(names, pairwise(offsets), strict=True)
    infos = tuple(TrialInfo(*name, _digest(x[a:b], mask[a:b], name)) for name, (a, b) in spans)
    baseline = level if level.any() else None  # (n_trials, n_features)
    return Tokens(x, mask, time, y, offsets, infos, layout, baseline).select(kept), quality


class Sessions(NamedTuple):
    """``of`` (n_trials,): the session of each trial; ``lengths`` (n_trials,): its tokens; ``n_first``: trials of each session
    that calibrate and do not count."""

    of: np.ndarray
    lengths: np.ndarray
    n_first: int

    def kept(self) -> list[int]:
        """Trials after the first ones of their session."""
        return np.flatnonzero(self._number() >= self.n_first).tolist()

    def parts(self, by: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """(trials that are normalised, trials whose statistics are used) of each session, as masks (n_trials,)."""
        sessions = [self.of == session for session in np.unique(self.of)]
        if by == "calibration":
            return [(here, here & (self._number() < self.n_first)) for here in sessions]
        return [(here, here) for here in sessions]

    def _number(self) -> np.ndarray:
        """Place of each trial in its session, from 0."""
        return np.array([np.count_nonzero(self.of[:i] == session) for i, session in enumerate(self.of)])


def _no_trials(layout: Layout) -> Tokens:
    """Tokens of a subject whose absence the config allows."""
    shapes = ((0, layout.n_features), (0, len(layout.modalities)), (0,), (0, len(layout.targets)))
    x, mask, time, y = (np.zeros(shape, np.float32) for shape in shapes)
    return Tokens(x, mask.astype(bool), time, y, np.zeros(1, np.int64), (), layout)


def _complete(
    modality: Modality, trials: list[tuple[np.ndarray, np.ndarray]], sessions: Sessions, options: Options,
    counts: dict[str, int],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """One modality's features over all trials, normalised and without NaN (n_tokens, n_features), the level before each trial
    on the same scale, 0 where unknown (n_trials, n_features), and presence (n_tokens,)."""
    x, level = np.concatenate([x for x, _ in trials]), np.stack([level for _, level in trials])
    measured = np.isfinite(x)
    present = measured.mean(axis=1) >= options["quality"]["min_measured"]
    counts["tokens"] = len(x)
    counts["present"] = int(present.sum())
    counts["features_unmeasured"] = int((~measured[present]).sum())
    x = np.where(present[:, None], x, np.nan)
    by = modality.normalised(options["normalise"]["by"])
    if by == "none":
        x, level = (np.where(np.isfinite(a), a, _column_means(a)) for a in (x, level))
    else:
        x, level = _normalise(x, level, sessions, by)
    return np.where(present[:, None] & np.isfinite(x), x, 0.0), np.where(np.isfinite(level), level, 0.0), present


def _digest(x: np.ndarray, mask: np.ndarray, name: tuple[str, ...]) -> str:
    """Identity of a trial's content; of its name where nothing was recorded: such trials are no copies of one another."""
    return io.digest(x, mask) if mask.any() else io.digest(np.frombuffer("/".join(name).encode(), np.uint8))


def _features(
    trial: Trial, modality: Modality, info: DatasetInfo, times: np.ndarray, options: Options, counts: dict[str, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Features of one modality of one trial (n_tokens, n_features), and their level before it (n_features,); NaN where not
    measured, and in the level where the recipe has no baseline."""
    made, window = recipe(modality.features), info.token_window
    n_windows = len(times) * (len(modality.channels) if made.per_channel else 1)
    counts["windows"] += n_windows
    nothing = (np.full((len(times), n_features := len(made.names(modality.channels))), np.nan), np.full(n_features, np.nan))
    if modality.name not in trial.signals:
        counts["not_recorded"] += n_windows
        return nothing
    signal = _double(trial.signals[modality.name])
    if signal.data.shape[1] / signal.sfreq < made.min_seconds:
        counts["too_short"] += n_windows
        return nothing
    rest = trial.baseline.get(modality.name)
    has_baseline = made.baseline and (rest is not None or signal.start < 0)
    before = _baseline_times(signal, rest, info) if has_baseline else np.zeros(0)
    if rest is None:  # the baseline runs into the trial
        x, refused = _measure(modality, signal, np.concatenate([before, times]), window, options)
        baseline, x = np.split(x, [len(before)])
        refused = {reason: windows[len(before) :] for reason, windows in refused.items()}
    else:
        x, refused = _measure(modality, signal, times, window, options)
        baseline = _measure(modality, _double(rest), before, window, options)[0] if len(before) else x[:0]
    for reason, windows in refused.items():
        counts[reason] += int(windows.sum())
    level = _level(baseline)
    if has_baseline:
        n_per_window = x.shape[1] // refused["dead"].shape[1]
        counts["no_baseline"] += int((np.isfinite(x) & np.isnan(level)).sum() // n_per_window)
    return x, level


def _baseline_times(signal: Signal, rest: Signal | None, info: DatasetInfo) -> np.ndarray:
    """Token times of the baseline: of a recording of its own, or of what was recorded before the stimulus."""
    if rest is None:
        return token_times(0.0, info.token_rate, info.token_window, start=min(signal.start, 0.0))
    return token_times(rest.data.shape[1] / rest.sfreq, info.token_rate, info.token_window)


def _level(baseline: np.ndarray) -> np.ndarray:
    """Mean of the baseline's tokens (n_tokens, n_features), NaN where a feature was not measured in any."""
    return np.where(np.isfinite(baseline).any(0), _column_means(baseline), np.nan)


def _measure(
    modality: Modality, signal: Signal, times: np.ndarray, window: float, options: Options
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Features (n_tokens, n_features), NaN where the gate refuses, and reason -> windows refused (n_tokens, n_chans used).

    A recipe that is not per channel reads the first channel alone. What no body shows is left out of the recording, so that it
    spreads into no other window.
    """
    made, units = recipe(modality.features), units_of(modality)
    seen = np.where(implausible(signal.data, units), np.nan, signal.data)
    x = made.run(Signal(seen, signal.sfreq, signal.start), times, window, **options.get(made.family, {}))
    used = signal if made.per_channel else Signal(signal.data[:1], signal.sfreq, signal.start)
    found = gate(used, times, window, options["quality"]["clipped_share"], units[: len(used.data)])
    none = np.zeros_like(found["dead"])
    refused = {reason: found[reason] if reason in (*made.gate, "implausible") else none for reason in REASONS}
    columns = np.repeat(np.any(list(refused.values()), axis=0), x.shape[1] // none.shape[1], axis=1)
    return np.where(columns, np.nan, x), refused | {"not_recorded": found["not_recorded"]}


def _double(signal: Signal) -> Signal:
    return Signal(signal.data.astype(np.float64), signal.sfreq, signal.start)


def _targets(trial: Trial, times: np.ndarray, lag: float) -> np.ndarray:
    """(n_tokens, n_outputs): the trial's label at every token, or the annotation ``lag`` later, interpolated to the clock.

    Tokens before the first or after the last annotation, or in a gap between two, have no label (NaN).
    """
    if trial.target_times is None:
        return np.tile(trial.targets, (len(times), 1))
    known, wanted = trial.target_times, times + lag
    step = float(np.median(np.diff(known))) if len(known) > 1 else 1.0
    is_outside = (wanted < known[0] - step / 2) | (wanted > known[-1] + step / 2)
    in_gap = np.zeros(len(wanted), bool)
    if len(known) > 1:
        after = np.clip(np.searchsorted(known, wanted), 1, len(known) - 1)
        long = np.diff(known)[after - 1] > MAX_LABEL_STEPS * step
        in_gap = long & (wanted > known[0]) & (wanted < known[-1]) & ~np.isin(wanted, known)
    y = np.stack([np.interp(wanted, known, column) for column in trial.targets.T], axis=1)
    return np.where((is_outside | in_gap)[:, None], np.nan, y)


def _normalise(x: np.ndarray, level: np.ndarray, sessions: Sessions, by: str) -> tuple[np.ndarray, np.ndarray]:
    """z-score of each column within each session, NaN-aware; a constant column becomes 0. ``level`` (n_trials, n_features) is
    centred on the same trials and divided by the same spread: a coefficient means what it does in the features' own unit."""
    out, out_level = np.empty_like(x), np.empty_like(level)
    for here, known in sessions.parts(by):
        rows, fitted = (x[np.repeat(trials, sessions.lengths)] for trials in (here, known))
        mean = _column_means(fitted)
        finite = np.isfinite(fitted)
        scale = np.sqrt(np.where(finite, (fitted - mean) ** 2, 0).sum(0) / np.maximum(finite.sum(0), 1))
        scale = np.where(scale > 1e-9, scale, np.inf)
        out[np.repeat(here, sessions.lengths)] = (rows - mean) / scale
        out_level[here] = (level[here] - _column_means(level[known])) / scale
    return out, out_level


def _column_means(x: np.ndarray) -> np.ndarray:
    """Mean of the finite values of each column, 0 where there is none."""
    finite = np.isfinite(x)
    return np.where(finite, x, 0).sum(0) / np.maximum(finite.sum(0), 1)
