"""What of a subject's tokens a model is given: all, one modality, its raw samples, windows in the place of trials, or a
control's version of them. Built from a plug-in's literals (MODALITY, RAW) and the protocol, the same for fit and predict."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from himoe import io, registry
from himoe.names import trial_of, window
from himoe.types import HimoeError, Layout, Tokens, Trial, TrialInfo


@dataclass(frozen=True)
class View:
    """``modality``: the only one the model reads (empty: all); ``samples``: as so many samples a token, not as features (0);
    ``window``: length of the windows that take the place of trials, s (0: trials); ``control``: a plug-in of himoe/controls."""

    modality: str = ""
    samples: int = 0
    window: float = 0.0
    control: str = ""

    def prepare(self, tokens: Tokens, trials: list[Trial] | None = None) -> Tokens:
        """One subject's tokens: windows, then samples for features (from ``trials``, the cleaned recordings). What a trial or
        window is called and hashed as is the same for all models."""
        tokens = cut(tokens, self.window) if self.window else tokens
        return with_samples(tokens, trials or [], self.modality, self.samples) if self.samples else tokens

    def narrow(self, tokens: Tokens) -> Tokens:
        """The columns that the model reads. Conditions are drawn before, so that all models meet the same losses."""
        return only(tokens, self.modality) if self.modality else tokens

    def spoilt(self, tokens: Tokens, seed: int) -> Tokens:
        """Whole subjects as the control has them, in fit and test alike; as they are without one."""
        return registry.load("controls", self.control).apply(tokens, seed) if self.control else tokens


def cut(tokens: Tokens, seconds: float) -> Tokens:
    """Each trial as windows of this length, one after another, named TRIAL#000; what is left at the end is dropped."""
    length = max(1, round(seconds * tokens.layout.token_rate))
    rows, infos = [], []
    for trial, first, last in zip(tokens.trials, tokens.offsets[:-1], tokens.offsets[1:], strict=True):
        for k in range((last - first) // length):
            at = slice(first + k * length, first + (k + 1) * length)
            rows.append(np.arange(at.start, at.stop))
            infos.append(replace(trial, trial=(name := window(trial.trial, k)), digest=_digest(tokens, at, trial, name)))
    keep = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    columns = {name: getattr(tokens, name)[keep] for name in ("x", "mask", "time", "y")}
    offsets = np.arange(len(rows) + 1, dtype=np.int64) * length
    return Tokens(**columns, offsets=offsets, trials=tuple(infos), layout=tokens.layout)


def _digest(tokens: Tokens, at: slice, trial: TrialInfo, name: str) -> str:
    """Of a window's content; of its name where nothing was recorded: blank windows are no copies of one another."""
    blank = not tokens.mask[at].any()
    said = np.frombuffer("/".join((trial.subject, trial.session, name)).encode(), np.uint8)
    return io.digest(*([said] if blank else [tokens.x[at], tokens.mask[at]]))


def only(tokens: Tokens, modality: str) -> Tokens:
    """One modality's columns."""
    layout = tokens.layout
    if modality not in layout.modalities:
        raise HimoeError(f"a model reads {modality}, which these recordings do not have")
    m, at = layout.modalities.index(modality), layout.slices[modality]
    narrow = Layout((modality,), (layout.features[m],), layout.targets, layout.token_rate, layout.per_token)
    return replace(tokens, x=np.ascontiguousarray(tokens.x[:, at]), mask=tokens.mask[:, m : m + 1], layout=narrow)


def with_samples(tokens: Tokens, trials: list[Trial], modality: str, n_samples: int) -> Tokens:
    """The modality's features replaced by its samples around each token's time, half a hop to either side: side by side they
    are the recording. Columns are ``CHANNEL k``, channel by channel; a token whose samples were not all recorded is absent."""
    recorded = {(t.session, t.trial): t for t in trials}
    layout, m = tokens.layout, tokens.layout.modalities.index(modality)
    names = tuple(dict.fromkeys(re.sub(r"[/ ][^/ ]*$", "", name) for name in layout.features[m]))  # CHANNEL/BAND
    blocks = []
    for info, first, last in zip(tokens.trials, tokens.offsets[:-1], tokens.offsets[1:], strict=True):
        signal = recorded[info.session, trial_of(info.trial)].signals.get(modality)
        if signal is None:
            blocks.append((last - first, None))
            continue
        if abs(signal.sfreq / layout.token_rate - n_samples) > 1e-9:
            raise HimoeError(f"{modality}: {signal.sfreq:g} Hz is not {n_samples} samples per token")
        start = np.rint((tokens.time[first:last] - signal.start) * signal.sfreq).astype(np.int64) - n_samples // 2
        at = start[:, None] + np.arange(n_samples)
        inside = (at >= 0) & (at < signal.data.shape[1])
        values = np.where(inside, signal.data[:, np.clip(at, 0, signal.data.shape[1] - 1)], np.nan)  # (n_chans, n, n_samples)
        blocks.append((last - first, values.transpose(1, 0, 2).reshape(last - first, -1)))
    width = len(names) * n_samples
    x = np.concatenate([np.full((n, width), np.nan) if b is None else b for n, b in blocks]) if blocks else np.zeros((0, width))
    mask = tokens.mask.copy()
    mask[:, m] &= np.isfinite(x).all(1)
    samples = np.where(mask[:, m : m + 1], x, 0.0).astype(np.float32)
    slices = layout.slices
    parts = [samples if name == modality else tokens.x[:, slices[name]] for name in layout.modalities]
    columns = tuple(f"{name} {k}" for name in names for k in range(n_samples))
    features = tuple(columns if name == modality else f for name, f in zip(layout.modalities, layout.features, strict=True))
    return replace(tokens, x=np.concatenate(parts, axis=1), mask=mask, layout=replace(layout, features=features))
