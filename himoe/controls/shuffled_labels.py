"""Negative control: labels are shuffled among the trials of each subject before data are split, in training and test alike.

This removes the relation of labels to physiology and keeps how each subject rates. A model that still has skill has seen test
rows, or predicts how a subject rates from something other than physiology.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from himoe.names import trial_of
from himoe.types import Tokens

TITLE = "labels shuffled"


def apply(tokens: Tokens, seed: int) -> Tokens:
    """Tokens with each subject's trials assigned one another's labels, by a uniformly random permutation.

    Labels are taken token by token, from the start again where the other trial is shorter. A subject's only trial gets its own
    labels, rolled by half a trial. Windows cut from one trial stay together. All trials of a subject must be given.
    """
    y = tokens.y.copy()
    windows: dict[tuple[str, str, str], list[int]] = {}  # trial -> its windows, in order
    for i, t in enumerate(tokens.trials):
        windows.setdefault((t.subject, t.session, trial_of(t.trial)), []).append(i)
    for subject in sorted({key[0] for key in windows}):
        trials = sorted(key for key in windows if key[0] == subject)
        rng = np.random.default_rng([seed, zlib.crc32(subject.encode())])
        for trial, source in zip(trials, (trials[j] for j in rng.permutation(len(trials))), strict=True):
            labels = np.concatenate([tokens.y[tokens.offsets[i] : tokens.offsets[i + 1]] for i in windows[source]])
            if len(trials) == 1:
                labels = np.roll(labels, len(labels) // 2, axis=0)
            rows = np.concatenate([np.arange(tokens.offsets[i], tokens.offsets[i + 1]) for i in windows[trial]])
            y[rows] = np.resize(labels, (len(rows), y.shape[1]))
    return replace(tokens, y=y)
