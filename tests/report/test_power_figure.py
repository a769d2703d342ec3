"""The figure of what a run could have seen: chances by the rule that judges the run, none where seeds are too few."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from himoe.figures import power
from himoe.report import judge, style
from himoe.stats.frames import pick
from tests.report.test_claims import ABLATIONS, CLAIMS, curves, evidence


def made(levels, seeds=(0, 1, 2), protocol="subject_kfold", **options):
    run = evidence(
        curves(levels, n_seeds=len(seeds), **options),
        list(levels),
        ablations=ABLATIONS,
        seeds=list(seeds),
        protocols=[protocol],
    )
    with style.themed(style.LIGHT):
        item = power.draw(run, style.LIGHT)
    plt.close(item.figure)
    return run, item


def test_chances_are_those_of_the_verdict():
    """Leads of SD .03 sqrt 2 over 23 people and 3 seeds: the verdict's own "seen with 80%" and its power lie on the line."""
    run, item = made({"himoe": (0.6, 0.5), "late_fusion": (0.5, 0.4)})
    seen = dict(zip(judge.NUMBERS, judge.judge(run, "deap_twin", CLAIMS["C1"]).numbers, strict=True))
    line = pick(item.data, claim="C1").set_index("lead")["chance"]
    assert (np.diff(line) >= 0).all()
    assert line[0.02] == pytest.approx(seen["power"])
    assert line[line.index < seen["detectable"]].max() < 0.8 <= line[line.index > seen["detectable"]].min()
    assert f"C1 {line[line >= 0.8].index[0]:.3f}" in item.finding
    assert set(item.data["claim"]) == {"C1", "C2"}  # the others are judged by no scores here


def test_an_effect_that_may_be_missed_is_named():
    _, item = made({"himoe": (0.6, 0.5), "late_fusion": (0.5, 0.4)}, n_people=6, spread=0.3)
    assert item.finding.endswith("C1 over 0.2, C2 over 0.2; C1, C2 may miss an effect of interest.")


def test_without_skill_of_its_own_no_lead_is_seen():
    """Hi-MoE at -.1: ahead of others that are worse still, it is not ahead of predicting nothing."""
    _, item = made({"himoe": (-0.1, -0.2), "late_fusion": (-0.3, -0.4)})
    assert not item.data["chance"].any()
    assert "C1 no lead, C2 no lead; C1, C2 may miss an effect of interest" in item.finding


def test_too_few_seeds_see_nothing():
    _, item = made({"himoe": (0.6, 0.5), "late_fusion": (0.5, 0.4)}, seeds=(0,))
    assert item.finding == "DEAP twin (23 people, 1 seed): no lead would do: people share networks of too few seeds."
    assert not item.data["chance"].any()
    _, alone = made({"himoe": (0.6, 0.5), "late_fusion": (0.5, 0.4)}, seeds=(0,), protocol="loso")
    assert alone.data["chance"].any()  # each person has networks of its own
