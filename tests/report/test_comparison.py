"""Ranks beside the comparison: of models that could be used on a new person, and of none that failed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from himoe.config.run import Config
from himoe.tables import comparison
from tests.report.scores import scores

LEVELS = {"himoe": 0.6, "late_fusion": 0.7, "ridge": 0.4, "stimulus_mean": 0.9}


def table(failed=None):
    config = Config(models=list(LEVELS), datasets=["deap_twin"])
    run = SimpleNamespace(
        scores=scores(LEVELS, failed), config=config, settings=["deap_twin"], judged=["deap_twin"],
        protocol_of=lambda setting: "subject_kfold", has_few_seeds=lambda setting: True,
    )  # fmt: skip
    return comparison.make(run)


def test_ranks_are_of_rivals():
    """Six people differ by less than the models do: all rank late fusion first, Hi-MoE second, ridge third. Friedman's
    statistic is 6 (3 - 1) = 12, p = exp(-6) = .002; the critical difference 2.343 sqrt(12 / 36) = 1.35."""
    made = table()
    by_ccc = made.data[made.data["metric"] == "ccc"].groupby("other")["other_rank"]
    assert by_ccc.unique().map(list).drop("stimulus_mean").to_dict() == {"late_fusion": [1.0], "ridge": [3.0]}
    assert np.isnan(by_ccc.first()["stimulus_mean"])  # a reference competes with nobody
    assert made.data.loc[made.data["metric"] == "skill", "other_rank"].isna().all()
    said = "DEAP twin, valence: Hi-MoE's mean rank 2.0 of 3; Friedman p 0.002; critical difference 1.4; "
    assert f"{said}the luck of shared training is in none of these." in made.note


def test_a_model_that_failed_has_no_rank_and_two_are_no_ranking():
    made = table(("ridge", 1, ("s3", "s4")))
    assert made.data["other_rank"].isna().all()
    assert "mean rank" not in made.note
