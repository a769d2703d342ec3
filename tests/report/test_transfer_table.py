"""The table of fits tested on another data set, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from himoe.config.load import load_config
from himoe.report.evidence import Evidence
from himoe.tables import transfer
from tests.config.test_transfer import RUN
from tests.report.scores import KEYS

SETTING, OTHER = "deap_twin-common", "dreamer_twin-common"
LABELS = np.array([1.0, 2, 3, 4])  # variance 1.25


def said(model, subject, fold, shift, target="valence"):
    """Right but for a constant: CCC = 2.5 / (2.5 + shift^2)."""
    return pd.DataFrame({
        "setting": SETTING, "tested_on": OTHER, "model": model, "seed": 0, "fold": fold, "subject": subject, "target": target,
        "y_true": LABELS, "y_pred": LABELS + shift,
    })  # fmt: skip


def evidence(lost=False):
    """Three people. ridge: two folds, right and off by sqrt(2.5): CCC 1 and .5, mean .75; at home .75, .85 and .95, of people
    who stand in another order there. Hi-MoE says nothing: CCC 0."""
    parts = [said("ridge", s, fold, shift) for s in ("s0", "s1", "s2") for fold, shift in ((0, 0.0), (1, np.sqrt(2.5)))]
    parts += [said("himoe", s, 0, 0.0).assign(y_pred=np.nan if lost else 3.0) for s in ("s0", "s1", "s2")]
    run = Evidence({}, load_config(RUN))
    home = {("ridge", "s2"): 0.95, ("ridge", "s1"): 0.85, ("ridge", "s0"): 0.75}
    home |= {("himoe", s): 0.5 for s in ("s0", "s1", "s2")} | {("ridge", "(pooled)"): 0.0}
    rows = [(OTHER, m, 0, s, "valence", "clean", 0.0, "ccc", value) for (m, s), value in home.items()]
    rows += [(SETTING, "ridge", 0, "s0", "valence", "clean", 0.0, "ccc", -1.0)]
    run.__dict__.update(across=pd.concat(parts, ignore_index=True), all_scores=pd.DataFrame(rows, columns=[*KEYS, "value"]))
    return run


def test_across_at_home_and_what_is_lost():
    """Lost: 0, .1 and .2, mean .1, SD .1: t of two degrees of freedom is 4.303, so 4.303 * .1 / sqrt(3) = .2484 about it."""
    item = transfer.make(evidence())
    row = item.data.set_index("model").loc["ridge"]
    assert row[["across", "across_low", "across_high"]].tolist() == pytest.approx([0.75] * 3)
    assert row["within"] == pytest.approx(0.85)
    assert row[["difference", "difference_low", "difference_high"]].tolist() == pytest.approx([-0.1, -0.3484, 0.1484], abs=1e-4)
    himoe = item.data.set_index("model").loc["himoe"]
    assert himoe[["across", "difference"]].tolist() == pytest.approx([0, -0.5])
    assert item.data["model"].tolist() == ["ridge", "himoe"]
    assert (
        "tested on DREAMER twin, common: the best is ridge, CCC 0.750 [0.750, 0.750]; 1 of 2 models above 0, 1 below"
        in item.finding
    )
    assert "luck of training" in item.note
    assert "nothing can carry over" in item.note
    assert len(item.shown.columns) <= 8


def test_a_model_that_failed_has_no_number():
    item = transfer.make(evidence(lost=True))
    assert item.data.set_index("model").loc["himoe", transfer.BOUNDS[:3]].isna().all()
    assert item.shown["CCC across [95% CI]"].tolist()[1] == "failed: diverged"


def test_people_of_whom_a_fold_failed_are_not_left_out():
    """Of three people at home one has no score under one of two seeds, a fourth is tested across alone: three pairs, no
    mean."""
    across = pd.DataFrame({0: [0.5, 0.6, 0.7, 0.1], 1: [0.5, 0.6, 0.7, 0.1]}, ["s0", "s1", "s2", "s3"])
    within = pd.DataFrame({0: [0.7, 0.6, 0.5], 1: [0.7, 0.6, 0.5]}, ["s2", "s1", "s0"])
    whole = transfer._numbers(across, within)
    assert (whole[0], whole[6:]) == (pytest.approx(0.475), [pytest.approx(0)] * 3 + [3])
    within.loc["s1", 1] = np.nan
    lost = transfer._numbers(across, within)
    assert lost[0] == pytest.approx(0.475)
    assert np.isnan(lost[3:9]).all()
    assert lost[9] == 3
    within = within[[0]]
    within.loc["s1", 0] = np.nan  # one seed: the whole row is NaN
    assert np.isnan(transfer._numbers(across, within)[6])


def test_a_model_that_was_not_fitted_at_home_is_shown_alone():
    run = evidence()
    scores = run.__dict__["all_scores"]
    run.__dict__["all_scores"] = scores[scores["model"] != "himoe"]
    row = transfer.make(run).data.set_index("model").loc["himoe"]
    assert row["across"] == 0
    assert np.isnan(row["within"])
    assert np.isnan(row["difference"])
    assert row["n_subjects"] == 0
