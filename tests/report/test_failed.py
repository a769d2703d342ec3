"""What failed is never left out of a mean: no statistic is made of the subjects that happen to be left."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from himoe.config import protocols
from himoe.config.claims import Claim
from himoe.config.run import Config
from himoe.report import judge
from himoe.stats.inference import holm, mean_of
from himoe.stats.paired import compare
from himoe.stats.robustness import robustness
from tests.report.scores import scores

CLAIM = Claim(id="C1", claim="ahead", hypothesis="ahead", against="rivals", smallest_effect=0.02)


def test_a_mean_over_seeds_needs_all_seeds():
    frame = pd.DataFrame({"subject": ["a", "a", "b", "b"], "value": [1.0, np.nan, 1.0, 2.0]})
    out = mean_of(frame, ["subject"])
    assert np.isnan(out["value"][0])
    assert out["value"][1] == 1.5


def test_a_test_that_could_not_be_made_makes_no_other_easier():
    """Of three tests the smallest p is multiplied by 3, whether or not the others could be made."""
    assert holm([0.01, np.nan, 0.04])[0] == pytest.approx(0.03)
    assert np.isnan(holm([0.01, np.nan, 0.04])[1])
    assert holm([]) == []


@pytest.mark.parametrize("who", ["himoe", "late_fusion"])
def test_no_comparison_on_the_survivors(who):
    frame = scores({"himoe": 0.6, "late_fusion": 0.5, "ridge": 0.4}, (who, 1, ("s3", "s4")))
    out = compare(frame, "ccc", ["deap_twin"]).set_index("other")
    lost = out["difference"].isna()
    assert lost["late_fusion"]
    assert lost["ridge"] == (who == "himoe")
    assert out.loc[lost, ["low", "high", "p", "d", "p_holm"]].isna().all().all()
    table = robustness(frame).set_index("model")
    assert table["left"].isna().to_dict() == {m: m == who for m in ("himoe", "late_fusion", "ridge")}
    assert np.isnan(table.loc["late_fusion", "difference"])


def evidence(values, failed=None):
    settings = Config(models=list(values), datasets=["deap_twin"])
    folds = {("deap_twin", failed[0]): ["seed 1 fold 0"]} if failed else {}
    made = scores(values, failed)
    return SimpleNamespace(
        scores=made,
        all_scores=made,
        config=settings,
        failed=folds,
        runs=[],
        models=settings.compared,
        models_of=lambda setting: settings.compared,
        protocol_of=lambda setting: "subject_kfold",
    )


AHEAD = {"himoe": 0.9, "late_fusion": 0.5, "ridge": 0.4}
BEHIND = {"himoe": 0.3, "late_fusion": 0.5, "ridge": 0.4}


@pytest.mark.parametrize(
    ("values", "failed", "verdict", "why"),
    [
        (AHEAD, None, "supported", "closest: late fusion"),
        (AHEAD, ("himoe", 1, ("s1",)), "failed", "Hi-MoE diverged in 1 of its folds"),
        (AHEAD, ("late_fusion", 1, ("s1",)), "failed", "late fusion diverged in 1 of its folds"),  # no win over all
        (BEHIND, ("late_fusion", 1, ("s1",)), "contradicted", "closest: ridge"),  # a rival's failure saves no one who lost
        (BEHIND, ("himoe", 1, ("s1",)), "failed", "Hi-MoE diverged in 1 of its folds"),
    ],
)
def test_verdicts_name_who_failed_and_forget_no_defeat(values, failed, verdict, why, monkeypatch):
    monkeypatch.setattr(protocols, "MIN_SEEDS", 2)
    got = judge.judge(evidence(values, failed), "deap_twin", CLAIM)
    assert got.word == verdict
    assert why in got.why
