"""Differences over folds stand beside those over people, and groups are the people tested together."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from himoe.config.run import Config
from himoe.tables import folds
from himoe.types import Split
from tests.report.scores import scores

PEOPLE = [f"s{i}" for i in range(6)]


def split(number, tested, valid, stimuli=("a", "b"), trained=("a", "b")):
    """People who are tested on these stimuli; all others are trained on, one of them for validation."""
    test = {(s, c): "" for s in tested for c in stimuli}
    rest = [s for s in PEOPLE if s not in tested and s != valid]
    return Split(number, {(s, c): "" for s in rest for c in trained}, {(valid, c): "" for c in trained}, test)


KFOLD = [split(0, ["s0", "s1"], "s2"), split(1, ["s2", "s3"], "s4"), split(2, ["s4", "s5"], "s0")]
CROSSED = [
    split(2 * k + i, f_people, valid, stimuli=(one,), trained=(other,))
    for k, (f_people, valid) in enumerate((("s0", "s1", "s2"), "s3") if k == 0 else (("s3", "s4", "s5"), "s0") for k in (0, 1))
    for i, (one, other) in enumerate((("a", "b"), ("b", "a")))
]


def table(made, splits=KFOLD, models=("himoe", "ridge", "stimulus_mean")):
    config = Config(models=list(models), datasets=["deap_twin"])
    run = SimpleNamespace(scores=made, config=config, judged=["deap_twin"], folds={"deap_twin": splits})
    return folds.make(run)


def test_groups_by_hand():
    """Two of six tested, four trained on: 1 / 2. Crossed with clips, three of six are tested in two folds: one group, 1."""
    assert folds.groups_of(KFOLD) == ({"s0": 0, "s1": 0, "s2": 1, "s3": 1, "s4": 2, "s5": 2}, 0.5)
    assert folds.groups_of(CROSSED) == ({"s0": 0, "s1": 0, "s2": 0, "s3": 1, "s4": 1, "s5": 1}, 1.0)


def test_folds_by_hand():
    """Hi-MoE is ahead by .3, .1, .2 in the three folds under seed 0, by .2 less under seed 1: .2, 0, .1 with seeds averaged,
    s = .1, variance .01 (1 / 3 + 1 / 2), t = .1 / .0913 = 1.095."""
    made = scores({"himoe": 0.0, "ridge": 0.0, "stimulus_mean": 0.9})
    lead = made["subject"].map(dict(zip(PEOPLE, [0.3, 0.3, 0.1, 0.1, 0.2, 0.2], strict=True))) - 0.2 * made["seed"]
    made["value"] = np.where(made["model"] == "himoe", lead, made["value"].round(1))
    found = table(made)
    row = found.data.set_index("other").loc["ridge"]
    assert row["over_folds"] == pytest.approx(0.1)
    assert row["t"] == pytest.approx(0.1 / np.sqrt(0.01 * 5 / 6))
    assert row["difference"] == pytest.approx(0.1)  # over people and seeds, beside it
    assert (row["n_folds"], row["ratio"]) == (3, 0.5)
    assert found.data["other"].tolist() == ["ridge"]  # a reference is nobody's rival
    assert found.shown.columns.size <= 8
    assert "Of 1 differences 0 have an interval above 0 over people and 0 over folds" in found.finding


def test_a_fold_that_failed_leaves_no_mean():
    found = table(scores({"himoe": 0.5, "ridge": 0.4}, ("ridge", 1, ("s3",))), models=("himoe", "ridge"))
    assert found.data[["over_folds", "folds_low", "p_holm"]].isna().all(axis=None)
    assert found.shown["over folds, corrected [95% CI]"].tolist() == ["failed: diverged"]
    assert found.finding == "No comparison could be made over folds."
