"""Shares of variance and standard errors, from predictions and scores made by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from himoe.config.run import Config
from himoe.report.evidence import Evidence
from himoe.tables import variance
from tests.report.scores import KEYS


def table(error_of, ccc_of, n_seeds=2, lost=None):
    """Four people on three stimuli, two tokens a trial; ``error_of(person, stimulus, seed)`` is the squared error of each."""
    seeds, names = range(n_seeds), [f"s{i}" for i in range(4)]
    missing = {lost: np.nan}
    predictions = [
        ("case", "himoe", seed, f"s{p}", f"s{p}-{s}", "valence", 5.0, missing.get(seed, 5 + side * error_of(p, s, seed) ** 0.5))
        for p, s, seed in product(range(4), range(3), seeds) for side in (-1, 1)
    ]  # fmt: skip
    made = [
        ("case", "himoe", seed, f"s{p}", "valence", "clean", 0.0, "ccc", missing.get(seed, ccc_of(p, seed)))
        for p, seed in product(range(4), seeds)
    ]
    config = Config(datasets=["case"], models=["himoe"], targets={"case": ["valence"]}, seeds=list(seeds), conditions={})
    run = Evidence({}, config)
    columns = ["setting", "model", "seed", "subject", "trial", "target", "y_true", "y_pred"]
    clips = pd.DataFrame(
        [(n, f"{n}-{s}", f"clip{s}") for n in names for s in range(3)], columns=["subject", "trial", "stimulus"]
    )
    run.__dict__.update(
        predictions=pd.DataFrame(predictions, columns=columns), all_scores=pd.DataFrame(made, columns=[*KEYS, "value"]),
        stimuli={"case": clips},
    )  # fmt: skip
    return variance.make(run)


def test_shares_by_hand():
    """Squared errors of 1 more a person and 2 more a stimulus: variances 5 / 3 and 4, nothing else. CCC .1 more a person and .2
    more under seed 1: errors sqrt(.01 5 / 3 / 4) and sqrt(.02 / 2)."""
    made = table(lambda p, s, seed: 1 + p + 2 * s, lambda p, seed: 0.1 * p + 0.2 * seed)
    row = made.data.iloc[0]
    assert row["person"] == pytest.approx((5 / 3) / (5 / 3 + 4))
    assert row["stimulus"] == pytest.approx(4 / (5 / 3 + 4))
    assert row[["both", "seed", "rest"]].tolist() == pytest.approx([0, 0, 0], abs=1e-9)
    assert row["se_people"] == pytest.approx(np.sqrt(0.01 * 5 / 3 / 4))
    assert row["se_seeds"] == pytest.approx(0.1)
    assert (row["n_subjects"], row["n_stimuli"], row["n_seeds"]) == (4, 3, 2)
    assert "person 29%, stimulus 71%, person on a stimulus 0%, seed 0%, what is left 0%" in made.finding
    assert "by people and 0.100 by seeds" in made.finding
    assert made.shown.columns.size <= 8


def test_one_seed_tells_nothing_of_seeds():
    made = table(lambda p, s, seed: 1 + p + 2 * s, lambda p, seed: 0.1 * p, n_seeds=1)
    shown = made.shown.iloc[0]
    assert shown["seed"] == shown["person on a stimulus"] == "not estimable"
    assert shown["SE of the CCC: people, seeds"] == "0.065, not estimable"  # .1 sqrt(5 / 3) / 2
    assert "by seeds" in made.finding
    assert "not estimable by seeds" in made.finding


def test_a_fold_that_failed_leaves_no_share():
    made = table(lambda p, s, seed: 1 + p + 2 * s, lambda p, seed: 0.1 * p, lost=1)
    assert made.data[["person", "rest", "se_people"]].isna().all(axis=None)
    assert set(made.shown.iloc[0, 2:]) == {"failed: diverged"}


def test_errors_that_do_not_vary_have_shares_of_nothing():
    made = table(lambda p, s, seed: 1.0, lambda p, seed: 0.5)
    assert made.data[["person", "stimulus", "rest"]].to_numpy().max() == 0
