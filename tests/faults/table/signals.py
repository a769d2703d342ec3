"""Signals that would be read wrongly in silence, models that answer in another shape, and numbers decided by rounding."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from himoe.data.rows import Inputs, predicted_by
from himoe.signal.clock import token_times
from himoe.signal.features import RECIPES
from himoe.types import Signal
from tests.conftest import make_tokens
from tests.faults.table.record import FAULTS, Fault, fault, refused

SFREQ, SECONDS = 256.0, 60
WAVES = ((-0.17, 0.025, 0.12), (-0.02, 0.008, -0.12), (0, 0.01, 1.0), (0.025, 0.008, -0.25), (0.25, 0.05, 0.25))
TIMES = token_times(SECONDS, 2, 2)


def ecg(beats: Any, false: float | None = None, seed: int = 0) -> np.ndarray:
    """One channel with these beats (s), and a false peak."""
    t = np.arange(int(SECONDS * SFREQ)) / SFREQ
    x = 0.01 * np.random.default_rng(seed).standard_normal(len(t))
    for beat in beats:
        for offset, width, height in WAVES:
            x += height * np.exp(-0.5 * ((t - beat - offset) / width) ** 2)
    return x if false is None else x + 1.2 * np.exp(-0.5 * ((t - false) / 0.015) ** 2)


def features(recipe: str, x: np.ndarray, sfreq: float = SFREQ, start: float = 0.0) -> np.ndarray:
    """As preparation makes them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RECIPES[recipe].run(Signal(x, sfreq, start), TIMES, 2.0)


def beats(rate: float, without: bool, false: bool, folder: Path) -> str:
    """One beat lost, or one too many, in a steady minute."""
    times = [b for i, b in enumerate(np.arange(0.4, SECONDS, 60 / rate)) if not (without and i == rate // 2)]
    found = features("ecg", ecg(times, 30.05 if false else None)[None] * 1e-3)
    off, variability = np.nanmax(np.abs(found[:, 0] - rate)), 1000 * np.nanmax(found[:, 1])
    assert off < 0.15 * rate, f"rate off by {off:.0f}/min"
    assert variability < 100, f"variability {variability:.0f} ms"
    return f"rate within {np.ceil(off):.0f}/min, variability below {100 * np.ceil(variability / 100):.0f} ms"


for rate in (60, 80, 100):
    FAULTS.append(
        Fault(
            "signals",
            f"one beat of {rate}/min lost",
            "rate and variability as they were",
            partial(beats, rate, True, False),
            20.0,
        )
    )
    FAULTS.append(
        Fault(
            "signals",
            f"one false beat among {rate}/min",
            "rate and variability as they were",
            partial(beats, rate, False, True),
            20.0,
        )
    )


def gap(before: float, after: float, folder: Path) -> str:
    """A lead off for 12 s, over which the rate has changed."""
    x = ecg([*np.arange(0.4, 24, 60 / before), *np.arange(36.3, SECONDS, 60 / after)])
    t = np.arange(len(x)) / SFREQ
    x[(t > 24.2) & (t < 36)] = np.nan
    worst = 1000 * np.nanmax(features("ecg", np.stack([x, x]) * 1e-3)[:, 1])
    assert worst < 60, f"variability {worst:.0f} ms"
    return "variability below 60 ms"


for before, after in ((60, 90), (75, 65), (90, 60)):
    FAULTS.append(
        Fault(
            "signals", f"a gap between {before} and {after}/min", "no variability across it", partial(gap, before, after), 20.0
        )
    )


def breathing(per_minute: float, shape: str, folder: Path) -> str:
    """Sines and uneven breaths, to the last window."""
    sfreq = 128.0
    t = np.arange(int((SECONDS + 3) * sfreq)) / sfreq
    phase = per_minute / 60 * t % 1
    x = {
        "sine": np.sin(2 * np.pi * phase),
        "flat": np.full(len(t), 300.0),
        "drift": np.sin(2 * np.pi * phase) + 0.1 * t,
        "uneven": np.where(phase < 0.4, -np.cos(np.pi * phase / 0.4), np.cos(np.pi * (phase - 0.4) / 0.6)),
    }[shape]
    found = features("respiration", 300 * x[None], sfreq, -3.0)[:, 0]
    if shape == "flat":
        assert np.isnan(found).all()
        return "not measured"
    assert np.nanmin(found) > 0, f"{np.nanmin(found):.1f}/min"
    assert np.nanmedian(np.abs(found - per_minute)) < 0.1 * per_minute
    return "within a tenth, never below 0"


for per_minute in (8, 12, 16, 24):
    for shape in ("sine", "drift", "uneven"):
        FAULTS.append(
            Fault(
                "signals",
                f"breaths of {per_minute}/min, {shape}",
                "the rate that was put in",
                partial(breathing, per_minute, shape),
                20.0,
            )
        )
FAULTS.append(Fault("signals", "a belt that does not move", "not measured", partial(breathing, 12, "flat"), 20.0))

ANSWERS: dict[str, Callable[[Any], Any]] = {
    "one column": lambda n: np.zeros((n, 1)),
    "one row": lambda n: np.zeros((1, 2)),
    "a flat array": lambda n: np.zeros(n),
    "transposed": lambda n: np.zeros((2, n)),
    "three columns": lambda n: np.zeros((n, 3)),
    "nothing": lambda n: None,
    "text": lambda n: np.full((n, 2), "x"),
    "complex": lambda n: np.zeros((n, 2)) + 1j,
    "a number": lambda n: np.float64(1.0),
    "objects": lambda n: np.full((n, 2), None),
}


def answered(answer: Callable[[Any], Any], folder: Path) -> str:
    """A model's prediction of two targets for some rows."""
    rows = some_rows()
    plugin: Any = SimpleNamespace(__name__="himoe.models.odd", predict=lambda state, rows: answer(len(rows.x)))
    return refused(lambda: predicted_by(plugin, {}, rows, 2))


def some_rows() -> Inputs:
    """Rows of a twin."""
    from himoe.data.rows import to_inputs

    return to_inputs(make_tokens(2, 1, 6, per_token=True))


FAULTS.extend(
    Fault("models", f"an answer of {name}", "one line", partial(answered, answer)) for name, answer in ANSWERS.items()
)


@fault("models", "an estimator that answers NaN in its own fit", "one line, before anything is written")
def _(folder: Path) -> str:
    from himoe import registry
    from tests.train.fits import fit, folds

    tokens = make_tokens(6, 4, 10, per_token=True)
    plugin = registry.load("models", "ridge")
    with mock.patch.object(plugin, "predict", lambda state, rows: np.full((len(rows.x), 2), np.nan)):
        return refused(lambda: fit("ridge", tokens, folds(tokens, n_folds=2, tmp=folder)[0]), "not finite")


@fault("labels", "a fold whose people to learn from have rated nothing")
def _(folder: Path) -> str:
    from himoe.splits.guards import check_fold, labels_of
    from tests.train.fits import folds

    tokens = make_tokens(6, 4, 10, per_token=True)
    split = folds(tokens, n_folds=2, tmp=folder)[0]
    rated = np.repeat([(t.subject, t.trial) not in split.train for t in tokens.trials], np.diff(tokens.offsets))
    labels = labels_of(replace(tokens, y=np.where(rated[:, None], tokens.y, np.nan)))
    return refused(lambda: check_fold(split, "subject_kfold", labels, tokens.layout.targets), "label of valence")


@fault("labels", "a target that nobody has rated")
def _(folder: Path) -> str:
    from himoe.config.facts import dataset_info
    from himoe.data.card import describe

    tokens = make_tokens(6, 4, 10)
    parts = [replace(tokens, y=np.where([True, False], tokens.y, np.nan))]
    how = {"options": {"normalise": {"by": "session"}}}
    return refused(lambda: describe("deap", dataset_info("deap"), {}, parts, [{}], how), "no trial has a label of arousal")


@fault("models", "one that reads the labels of what it should predict", "there are none")
def _(folder: Path) -> str:
    rows = some_rows()
    assert not hasattr(rows, "y")
    return "rows without labels"


@fault("statistics", "differences of 1e-17", "no difference")
def _(folder: Path) -> str:
    from himoe.stats.inference import effect_size

    up = np.full(32, 1e-17)
    up[::3] = 2e-17
    effect = effect_size(up)
    assert abs(effect) < 0.2
    return f"d = {effect:.2g}"
