"""From recordings to tokens: features on the shared clock, baseline-corrected, normalised within the session."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from himoe import io
from himoe.signal.clock import token_times
from himoe.signal.features import Recipe, recipe
from himoe.signal.quality import COUNTED, REASONS, gate
from himoe.types import DatasetInfo, HimoeError, Layout, Signal, Tokens, Trial, TrialInfo

if TYPE_CHECKING:
    from himoe.types import Modality

MAX_LABEL_STEPS = 2.5


def layout_of(info: DatasetInfo, targets: tuple[str, ...]) -> Layout:
    """The columns that a data set's tokens have."""
    features = tuple(recipe(m.features).names(m.channels) for m in info.modalities)
    return Layout(tuple(m.name for m in info.modalities), features, targets, info.token_rate, info.per_token)


def prepare_subject(
    info: DatasetInfo, trials: Iterable[Trial], targets: tuple[str, ...], options: dict[str, dict[str, Any]], lag: float = 0.0
) -> tuple[Tokens, dict[str, Any]]:
    """Tokens of one subject and what the quality gate counted.

    A modality's token is present where at least ``options["quality"]["min_measured"]`` of its features could be measured;
    features that could not are then at their session mean (0 after normalisation). Normalisation sees one subject's signals and
    no label. ``lag`` (s): annotators' reaction time; the label of time t is the annotation at t + lag.
    """
    layout = layout_of(info, targets)
    keep = [info.targets.index(name) for name in targets]
    counts = dict.fromkeys(COUNTED, 0)
    blocks, infos, quality = [], [], {m.name: dict(counts) for m in info.modalities}
    for trial in trials:
        times = token_times(trial.seconds, info.token_rate, info.token_window)
        if not len(times):
            raise HimoeError(f"{trial.subject} {trial.trial}: {trial.seconds:g} s is shorter than one token window")
        raw = [_features(trial, m, info, times, options, quality[m.name]) for m in info.modalities]
        blocks.append((raw, times, _targets(trial, times, lag)[:, keep], trial.session))
        infos.append((trial.subject, trial.session, trial.trial, trial.stimulus))
    if not blocks:
        return _nobody(layout), quality
    sessions = np.concatenate([np.full(len(times), session) for _, times, _, session in blocks])
    columns, masks = [], []
    for i, modality in enumerate(info.modalities):
        x = np.concatenate([raw[i] for raw, *_ in blocks])
        finite = np.isfinite(x)
        present = finite.mean(axis=1) >= options["quality"]["min_measured"]
        if modality.normalise == "session":
            x = _normalise(np.where(present[:, None], x, np.nan), sessions)
        count = quality[modality.name]
        count["tokens"], count["present"] = len(x), int(present.sum())
        count["features_unmeasured"] = int((~finite[present]).sum())
        fallback = 0.0 if modality.normalise == "session" else _column_means(x, present)
        columns.append(np.where(present[:, None], np.where(np.isfinite(x), x, fallback), 0.0))
        masks.append(present)
    lengths = [len(times) for _, times, _, _ in blocks]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    x, mask = np.concatenate(columns, axis=1).astype(np.float32), np.stack(masks, axis=1)
    time = np.concatenate([times for _, times, _, _ in blocks]).astype(np.float32)
    y = np.concatenate([y for _, _, y, _ in blocks]).astype(np.float32)
    # a trial in which nothing was recorded has no content to be recognised by: its name stands for it
    blank = [np.frombuffer("/".join(who).encode(), np.uint8) for who in infos]
    spans = list(zip(pairwise(offsets), blank, strict=True))
    digests = [io.digest(x[a:b], mask[a:b]) if mask[a:b].any() else io.digest(name) for (a, b), name in spans]
    named = tuple(TrialInfo(*who, content) for who, content in zip(infos, digests, strict=True))
    return Tokens(x, mask, time, y, offsets, named, layout), quality


def _nobody(layout: Layout) -> Tokens:
    """Tokens of a subject whose absence the config allows: no trial at all."""
    shapes = ((0, layout.n_features), (0, len(layout.modalities)), (0,), (0, len(layout.targets)))
    x, mask, time, y = (np.zeros(shape, np.float32) for shape in shapes)
    return Tokens(x, mask.astype(bool), time, y, np.zeros(1, np.int64), (), layout)


def _features(
    trial: Trial, modality: Modality, info: DatasetInfo, times: np.ndarray, options: dict[str, Any], count: dict[str, int]
) -> np.ndarray:
    """(n_tokens, n_features) of one modality of one trial, minus its pre-trial baseline; NaN where not measured."""
    made, window = recipe(modality.features), info.token_window
    nothing = np.full((len(times), len(made.names(modality.channels))), np.nan)
    n_windows = len(times) * (len(modality.channels) if made.per_channel else 1)
    count["windows"] += n_windows
    if modality.name not in trial.signals:
        count["not_recorded"] += n_windows
        return nothing
    signal, rest = (_double(s) for s in (trial.signals[modality.name], trial.baseline.get(modality.name)))
    if signal.data.shape[1] / signal.sfreq < made.min_seconds:
        count["too_short"] += n_windows
        return nothing
    own, share = options.get(made.family, {}), options["quality"]["clipped_share"]
    before = np.zeros(0)
    if wanted := made.baseline and options["quality"]["baseline_correction"] and (rest is not None or signal.start < 0):
        end, start = (rest.data.shape[1] / rest.sfreq, 0.0) if rest else (0.0, min(signal.start, 0.0))
        before = token_times(end, info.token_rate, window, start=start)
    if rest is None:
        x, refused = _measure(made, signal, np.concatenate([before, times]), window, own, share)
        (baseline, x), refused = np.split(x, [len(before)]), {r: w[len(before) :] for r, w in refused.items()}
    else:
        x, refused = _measure(made, signal, times, window, own, share)
        baseline = _measure(made, rest, before, window, own, share)[0] if len(before) else x[:0]
    for reason, windows in refused.items():
        count[reason] += int(windows.sum())
    if not wanted:
        return x
    known = np.isfinite(baseline)
    level = np.where(known, baseline, 0).sum(0) / np.maximum(known.sum(0), 1)
    lost = np.isfinite(x) & ~known.any(0)  # with and without correction would be two quantities
    count["no_baseline"] += int(lost.sum() // (x.shape[1] // len(refused["dead"][0])))
    return np.where(lost, np.nan, x - level)


def _measure(
    made: Recipe, signal: Signal, times: np.ndarray, window: float, own: dict[str, Any], share: float
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Features (n_tokens, n_features), NaN where the gate refuses, and reason -> windows refused (n_tokens, n_chans used).

    A recipe that is not per channel reads the first channel alone.
    """
    x = made.run(signal, times, window, **own)
    used = signal if made.per_channel else Signal(signal.data[:1], signal.sfreq, signal.start)
    found = gate(used, times, window, share)
    told = {reason: windows for reason, windows in found.items() if reason == "not_recorded" or reason in made.gate}
    refused = sum((w for reason, w in told.items() if reason != "not_recorded"), np.zeros_like(found["dead"]))
    columns = np.repeat(refused, x.shape[1] // refused.shape[1], axis=1)
    return np.where(columns, np.nan, x), dict.fromkeys(REASONS, np.zeros_like(refused)) | told


def _double(signal: Signal | None) -> Signal | None:
    return signal and Signal(signal.data.astype(np.float64), signal.sfreq, signal.start)


def _targets(trial: Trial, times: np.ndarray, lag: float) -> np.ndarray:
    """(n_tokens, n_outputs): the trial's label at every token, or the annotation ``lag`` later, interpolated to the clock.

    Tokens before the first or after the last annotation, or in a gap between two, have no label (NaN).
    """
    if trial.target_times is None:
        return np.tile(trial.targets, (len(times), 1))
    known = trial.target_times
    at, step = times + lag, float(np.median(np.diff(known))) if len(known) > 1 else 1.0
    after = np.clip(np.searchsorted(known, at), 1, max(len(known) - 1, 1))
    gap = np.diff(known)[after - 1] > MAX_LABEL_STEPS * step if len(known) > 1 else np.zeros(len(at), bool)
    inside = (at > known[0]) & (at < known[-1]) & gap & ~np.isin(at, known)
    outside = (at < known[0] - step / 2) | (at > known[-1] + step / 2)
    y = np.stack([np.interp(at, known, column) for column in trial.targets.T], axis=1)
    return np.where((outside | inside)[:, None], np.nan, y)


def _normalise(x: np.ndarray, sessions: np.ndarray) -> np.ndarray:
    """z-score of each column within each session, NaN-aware; a constant column becomes 0."""
    out = np.empty_like(x)
    for session in np.unique(sessions):
        rows = sessions == session
        finite = np.isfinite(x[rows])
        n = np.maximum(finite.sum(0), 1)
        mean = np.where(finite, x[rows], 0).sum(0) / n
        centred = x[rows] - mean
        scale = np.sqrt(np.where(finite, centred**2, 0).sum(0) / n)
        out[rows] = centred / np.where(scale > 1e-9, scale, np.inf)
    return out


def _column_means(x: np.ndarray, present: np.ndarray) -> np.ndarray:
    finite = np.isfinite(x) & present[:, None]
    return np.where(finite, x, 0).sum(0) / np.maximum(finite.sum(0), 1)


def describe(dataset: str, info: DatasetInfo, manifest: dict[str, Any], parts: list[Tokens], quality: list[Any]) -> Any:
    """The data card: what there is, what is missing, how labels are spread."""
    tokens = Tokens.concatenate(parts)
    modalities = {}
    for m in info.modalities:
        counts = {k: sum(q[m.name][k] for q in quality) for k in quality[0][m.name]}
        modalities[m.name] = counts | {
            "n_chans": len(m.channels),
            "sfreq": m.sfreq,
            "recipe": m.features,
            "normalise": m.normalise,
        }
    labels = {}
    for i, name in enumerate(tokens.layout.targets):
        y = tokens.y[:, i] if info.per_token else tokens.y[tokens.offsets[:-1], i]
        counts, edges = np.histogram(y[np.isfinite(y)], bins=8, range=info.target_range)
        labels[name] = {
            "counts": counts.tolist(),
            "edges": edges.round(4).tolist(),
            "mean": float(np.nanmean(y)),
            "sd": float(np.nanstd(y)),
        }
    return {
        "dataset": dataset, "title": info.title, "licence": info.licence, "citation": info.citation, "caveats": info.caveats,
        "n_subjects": sum(len(part.trials) > 0 for part in parts), "n_trials": len(tokens.trials), "n_tokens": len(tokens.time),
        "n_stimuli": len({t.stimulus for t in tokens.trials}), "token_rate": info.token_rate,
        "token_window": info.token_window, "per_token": info.per_token, "n_features": tokens.layout.n_features,
        "modalities": modalities, "labels": labels, "absent_subjects": manifest["absent"], "stray_files": manifest["stray"],
        "edition": manifest["edition"], "source_sha256": {name: f["sha256"] for name, f in manifest["source"].items()},
    }  # fmt: skip
