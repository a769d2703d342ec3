"""Predictions of four people, of whom two rate as the fits of each fold may read, and two are tested."""

from __future__ import annotations

import numpy as np
import pandas as pd

from himoe.types import Split

TRIALS = [f"t{i}" for i in range(8)]
SEED = 7


def rows(model, subject, labels, predicted, fold=0, trials=TRIALS, n_labels=1):
    """A model's predictions of one person's trials, each with as many equal labels."""
    frame = pd.DataFrame({"trial": trials, "y_true": labels, "y_pred": predicted}).loc[np.repeat(range(len(trials)), n_labels)]
    return frame.assign(
        model=model, seed=0, fold=fold, subject=subject, target="valence", y_reference=4.0, time=np.nan
    ).reset_index(drop=True)


def keys(*people):
    return {(person, trial): f"{person}{trial}" for person in people for trial in TRIALS}


# Fold 0 tests c and d and may read a and b; the second fold is the other way round.
STIMULI = {key: key[1] for key in keys(*"abcd")}
SPLITS = [Split(0, keys("a"), keys("b"), keys("c", "d"), STIMULI), Split(1, keys("c"), keys("d"), keys("a", "b"), STIMULI)]
ONE, OTHER = 4.0 + np.tile([-1.0, 1.0], 4), 8.0 + np.tile([-1.0, 1.0], 4)  # labels of a and of b
# Means 4 and 8, of variance 8, and nothing else once what the trials share is taken away; trials about them 16 / 14 = 8/7.
LEVELS, WITHIN = 8.0, 8 / 7
WAVE = 5.0 + np.arange(8) / 10
COUNTS = [0, 1, 2, 5]


def made(above=3.0, model="ridge", c=None, d=WAVE):
    """c rates ``above`` what is predicted."""
    c = WAVE + above if c is None else c
    parts = [
        rows(model, "a", ONE, WAVE, 1),
        rows(model, "b", OTHER, WAVE, 1),
        rows(model, "c", c, WAVE),
        rows(model, "d", d, WAVE),
    ]
    return pd.concat(parts, ignore_index=True)
