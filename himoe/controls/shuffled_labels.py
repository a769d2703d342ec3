"""Labels shuffled between the trials of each subject before training: what physiology says is gone, how people rate is not.
A model that still has skill was helped by something that is no emotion."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from himoe.protocols import trial_of
from himoe.types import Tokens

TITLE = "labels shuffled"
INPUT = False  # test labels stay: they are what is predicted


def apply(tokens: Tokens, seed: int) -> Tokens:
    """Each trial has the labels of another of its subject, one token after another, again from the start where that one is
    shorter; the only trial of a subject has its own, half a trial late. Windows of one trial move together."""
    y = tokens.y.copy()
    place: dict[tuple[str, str, str], list[int]] = {}
    for i, t in enumerate(tokens.trials):
        place.setdefault((t.subject, t.session, trial_of(t.trial)), []).append(i)
    for subject in sorted({key[0] for key in place}):
        own = sorted(key for key in place if key[0] == subject)
        rng = np.random.default_rng([seed, zlib.crc32(subject.encode())])
        for key, other in zip(own, (own[j] for j in derangement(len(own), rng)), strict=True):
            labels = np.concatenate([tokens.y[tokens.offsets[i] : tokens.offsets[i + 1]] for i in place[other]])
            if other == key:
                labels = np.roll(labels, len(labels) // 2, axis=0)
            rows = np.concatenate([np.arange(tokens.offsets[i], tokens.offsets[i + 1]) for i in place[key]])
            y[rows] = np.resize(labels, (len(rows), y.shape[1]))
    return replace(tokens, y=y)


def derangement(n: int, rng: np.random.Generator) -> np.ndarray:
    """An order of n in which nobody stays (Sattolo 1986): one cycle through all."""
    order = np.arange(n)
    for i in range(n - 1, 0, -1):
        j = rng.integers(i)
        order[i], order[j] = order[j], order[i]
    return order
