"""The data card's facts of trials and stimuli, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from himoe.config.facts import dataset_info
from himoe.data.card import _labels, people_per_stimulus, trial_seconds
from himoe.types import HimoeError
from tests.conftest import make_tokens


def seen(*pairs):
    """Tokens of trials of these (subject, stimulus)."""
    tokens = make_tokens(n_subjects=1, n_trials=len(pairs))
    trials = zip(tokens.trials, pairs, strict=True)
    return replace(tokens, trials=tuple(replace(t, subject=subject, stimulus=stimulus) for t, (subject, stimulus) in trials))


def test_how_long_trials_are():
    """Tokens at 2 Hz, windows of 2 s: 24, 8 and 1 tokens are 23/2 + 2 = 13.5 s, 5.5 s and 2 s."""
    tokens = make_tokens(n_subjects=1, n_trials=3)
    parts = [tokens.select([i]) for i in range(3)]
    offsets = [0, 24, 32, 33]
    assert [len(p.time) for p in parts] == [24, 24, 24]
    assert trial_seconds(replace(tokens, offsets=tokens.offsets * 0 + offsets), 2.0) == {"min": 2.0, "median": 5.5, "max": 13.5}


def test_how_many_people_share_a_stimulus():
    """x is seen by three people, twice by one of them; y and z by one each."""
    tokens = seen(("a", "x"), ("b", "x"), ("c", "x"), ("a", "x"), ("a", "y"), ("b", "z"))
    assert people_per_stimulus(tokens) == {"min": 1.0, "median": 1.0, "max": 3.0, "shared": 1}


def test_a_target_that_nobody_has_rated_is_named():
    """Valence of one trial alone, 5; arousal of none."""
    tokens = make_tokens(n_subjects=1, n_trials=2)
    y = np.full_like(tokens.y, np.nan)
    y[tokens.offsets[1] :, 0] = 5.0
    one = replace(tokens, y=y, layout=replace(tokens.layout, targets=("valence",)))
    assert _labels(dataset_info("deap"), replace(one, y=y[:, :1]), "deap")["valence"]["mean"] == 5.0
    with pytest.raises(
        HimoeError, match=r"^deap: no trial has a label of arousal; choose other targets, as in targets: \{deap:"
    ):
        _labels(dataset_info("deap"), replace(tokens, y=y), "deap")
