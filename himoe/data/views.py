"""What of a subject's tokens a model is given: all, one modality, its raw samples, windows in the place of trials, or a
control's version of them. A :class:`~himoe.config.spec.View` says which; fit, prediction and audit apply the same one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from himoe import io, registry
from himoe.config.spec import View
from himoe.names import trial_of, window
from himoe.types import HimoeError, Layout, Signal, Tokens, Trial, TrialInfo


def prepare(view: View, tokens: Tokens, trials: Sequence[Trial] = ()) -> Tokens:
    """One subject's tokens: windows, a baseline coefficient that needs no fit, then samples for features (from ``trials``, the
    cleaned recordings). Names and digests of trials and windows are the same for all models."""
    tokens = cut(tokens, view.window) if view.window else tokens
    tokens = tokens if view.baseline == "estimated" else less_baseline(tokens, float(view.baseline))
    return with_samples(tokens, trials, view.modality, view.samples) if view.samples else tokens


def with_control(view: View, tokens: Tokens, seed: int) -> Tokens:
    """Whole subjects as the control changes them, in fit and test alike; as they are without one."""
    return registry.load("controls", view.control).apply(tokens, seed) if view.control else tokens


def narrow(view: View, tokens: Tokens) -> Tokens:
    """The columns that the model reads. Conditions are drawn before, so that all models meet the same losses."""
    return only(tokens, view.modality) if view.modality else tokens


def less_baseline(tokens: Tokens, coefficient: float) -> Tokens:
    """Features minus their pre-trial baseline times one coefficient for all; nothing is left to subtract then."""
    if tokens.baseline is None:
        return tokens
    columns = np.repeat(tokens.mask, [len(n) for n in tokens.layout.features], axis=1)
    level = coefficient * np.repeat(tokens.baseline, np.diff(tokens.offsets), axis=0)
    return replace(tokens, x=np.where(columns, tokens.x - level, 0.0).astype(np.float32), baseline=None)


def cut(tokens: Tokens, seconds: float) -> Tokens:
    """Each trial as windows of this length, one after another, named TRIAL#000; what is left at the end is dropped."""
    length = max(1, round(seconds * tokens.layout.token_rate))
    rows, infos, of_trial = [], [], []
    for i, (trial, first, last) in enumerate(zip(tokens.trials, tokens.offsets[:-1], tokens.offsets[1:], strict=True)):
        of_trial += [i] * ((last - first) // length)
        for k in range((last - first) // length):
            at = slice(first + k * length, first + (k + 1) * length)
            rows.append(np.arange(at.start, at.stop))
            infos.append(replace(trial, trial=(name := window(trial.trial, k)), digest=_digest(tokens, at, trial, name)))
    keep = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    columns = {name: getattr(tokens, name)[keep] for name in ("x", "mask", "time", "y")}
    offsets = np.arange(len(rows) + 1, dtype=np.int64) * length
    baseline = None if tokens.baseline is None else tokens.baseline[np.array(of_trial, np.int64)]
    return Tokens(**columns, offsets=offsets, trials=tuple(infos), layout=tokens.layout, baseline=baseline)


def _digest(tokens: Tokens, at: slice, trial: TrialInfo, name: str) -> str:
    """Of a trial's or window's content; of its name where nothing was recorded: blank ones are no copies of one another."""
    blank = not tokens.mask[at].any()
    name_bytes = np.frombuffer("/".join((trial.subject, trial.session, name)).encode(), np.uint8)
    return io.digest(*([name_bytes] if blank else [tokens.x[at], tokens.mask[at]]))


def only(tokens: Tokens, *modalities: str) -> Tokens:
    """The columns of some modalities, in the order in which they stand."""
    layout = tokens.layout
    if lacking := [name for name in modalities if name not in layout.modalities]:
        raise HimoeError(f"a model reads {lacking[0]}, which these recordings do not have")
    kept = [m for m, name in enumerate(layout.modalities) if name in modalities]
    names = tuple(layout.modalities[m] for m in kept)
    return matching(tokens, replace(layout, modalities=names, features=tuple(layout.features[m] for m in kept)))


def shared(layout: Layout, other: Layout) -> Layout:
    """The features of a layout that another one has too, by modality and name; HimoeError if there are none."""
    there, here = [dict(zip(of.modalities, of.features, strict=True)) for of in (other, layout)]
    kept = {m: names for m, of in here.items() if (names := tuple(n for n in of if n in there.get(m, ())))}
    if not kept:
        raise HimoeError("these two data sets have no feature in common, by modality and name")
    return replace(layout, modalities=tuple(kept), features=tuple(kept.values()))


def matching(tokens: Tokens, layout: Layout) -> Tokens:
    """The modalities and features of a layout, in its order; HimoeError if these recordings lack one."""
    recorded = tokens.layout
    at = {
        (m, n): i
        for i, (m, n) in enumerate(
            (m, n) for m, names in zip(recorded.modalities, recorded.features, strict=True) for n in names
        )
    }
    wanted = [(m, n) for m, names in zip(layout.modalities, layout.features, strict=True) for n in names]
    if lacking := [key for key in wanted if key not in at]:
        raise HimoeError(f"a model reads {' '.join(lacking[0])}, which these recordings do not have")
    columns, kept = [at[key] for key in wanted], [recorded.modalities.index(m) for m in layout.modalities]
    baseline = None if tokens.baseline is None else np.ascontiguousarray(tokens.baseline[:, columns])
    x, mask = (np.ascontiguousarray(a) for a in (tokens.x[:, columns], tokens.mask[:, kept]))
    layout = replace(recorded, modalities=layout.modalities, features=layout.features)
    return replace(tokens, x=x, mask=mask, layout=layout, baseline=baseline)


def with_samples(tokens: Tokens, trials: Sequence[Trial], modality: str, n_samples: int) -> Tokens:
    """The modality's features replaced by its samples around each token's time, half a hop to either side: side by side they
    are the recording. Columns are ``CHANNEL k``, channel by channel; a token whose samples were not all recorded is absent."""
    recorded = {(t.session, t.trial): t for t in trials}
    layout, m = tokens.layout, tokens.layout.modalities.index(modality)
    names = tuple(dict.fromkeys(re.sub(r"[/ ][^/ ]*$", "", name) for name in layout.features[m]))  # CHANNEL/BAND
    width = len(names) * n_samples
    blocks = [np.zeros((0, width))]
    for info, first, last in zip(tokens.trials, tokens.offsets[:-1], tokens.offsets[1:], strict=True):
        signal = recorded[info.session, trial_of(info.trial)].signals.get(modality)
        if signal is None:
            blocks.append(np.full((last - first, width), np.nan))
            continue
        if abs(signal.sfreq / layout.token_rate - n_samples) > 1e-9:
            raise HimoeError(f"{modality}: {signal.sfreq:g} Hz is not {n_samples} samples per token")
        blocks.append(_samples_around(signal, tokens.time[first:last], n_samples))
    x = np.concatenate(blocks)  # (n_tokens, n_chans n_samples)
    mask = tokens.mask.copy()
    mask[:, m] &= np.isfinite(x).all(1)
    samples = np.where(mask[:, m : m + 1], x, 0.0).astype(np.float32)
    parts = [samples if name == modality else tokens.x[:, at] for name, at in layout.slices.items()]
    baseline = tokens.baseline
    if baseline is not None:  # a sample has none
        none = np.zeros((len(baseline), width), np.float32)
        levels = [none if name == modality else baseline[:, at] for name, at in layout.slices.items()]
        baseline = np.concatenate(levels, axis=1)
    columns = tuple(f"{name} {k}" for name in names for k in range(n_samples))
    features = tuple(columns if name == modality else f for name, f in zip(layout.modalities, layout.features, strict=True))
    layout = replace(layout, features=features)
    return replace(tokens, x=np.concatenate(parts, axis=1), mask=mask, layout=layout, baseline=baseline)


def _samples_around(signal: Signal, times: np.ndarray, n_samples: int) -> np.ndarray:
    """``n_samples`` of every channel around each time (s), (n_times, n_chans n_samples); NaN where nothing was recorded."""
    start = np.rint((times - signal.start) * signal.sfreq).astype(np.int64) - n_samples // 2
    at = start[:, None] + np.arange(n_samples)
    n_recorded = signal.data.shape[1]
    inside = (at >= 0) & (at < n_recorded)
    values = np.where(inside, signal.data[:, np.clip(at, 0, n_recorded - 1)], np.nan)  # (n_chans, n_times, n_samples)
    return values.transpose(1, 0, 2).reshape(len(times), -1)
