"""Labels shuffled between the trials of each subject before anything is parted, in training and test alike: what physiology
says of them is gone, how people rate is not. A model that still has skill has seen test rows, or reads how people rate from
something that is no physiology."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from himoe.names import trial_of
from himoe.types import Tokens

TITLE = "labels shuffled"


def apply(tokens: Tokens, seed: int) -> Tokens:
    """Each trial has the labels of a trial of its subject drawn at random (all orders alike, its own place among them), one
    token after another, again from the start where that one is shorter; the only trial of a subject has its own, half a trial
    late. Windows of one trial move together. All trials of a subject must be there."""
    y = tokens.y.copy()
    place: dict[tuple[str, str, str], list[int]] = {}
    for i, t in enumerate(tokens.trials):
        place.setdefault((t.subject, t.session, trial_of(t.trial)), []).append(i)
    for subject in sorted({key[0] for key in place}):
        own = sorted(key for key in place if key[0] == subject)
        rng = np.random.default_rng([seed, zlib.crc32(subject.encode())])
        for key, other in zip(own, (own[j] for j in rng.permutation(len(own))), strict=True):
            labels = np.concatenate([tokens.y[tokens.offsets[i] : tokens.offsets[i + 1]] for i in place[other]])
            if len(own) == 1:
                labels = np.roll(labels, len(labels) // 2, axis=0)
            rows = np.concatenate([np.arange(tokens.offsets[i], tokens.offsets[i + 1]) for i in place[key]])
            y[rows] = np.resize(labels, (len(rows), y.shape[1]))
    return replace(tokens, y=y)
