"""The answer in words: every sentence follows from numbers that are made up here."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from himoe.config.run import Config
from himoe.report.evidence import Evidence
from himoe.tables import answer
from tests.conftest import ROOT
from tests.report.scores import KEYS

NO_PREDICTIONS = pd.DataFrame(columns=["setting", "model", "seed", "fold", "subject", "trial", "condition", "target", "y_pred"])
NO_ROUTING = pd.DataFrame(
    columns=["setting", "model", "seed", "fold", "subject", "trial", "condition", "quantity", "part", "value"]
)
PROBE = {"dataset": "case", "protocol": "loso", "findings": [{"check": "clip", "evidence": "80% right, chance 12%"}]}


def rows(model, ccc, residual=0.0, setting="case", n_people=8):
    """Scores of people who differ by +-.01 about a mean: leads are the same for all people but for that."""
    people = ccc + 0.01 * np.where(np.arange(n_people) % 2, 1, -1) * (1 if model != "himoe" else -1)
    return [
        (setting, model, 0, f"s{i}", "valence", "clean", 0.0, metric, value)
        for i, v in enumerate(people)
        for metric, value in (("ccc", v), ("residual_pcc", residual + 0.01 * (-1) ** i))
    ]


def evidence(made, datasets=("case",), models=("train_mean", "stimulus_mean", "ridge", "late_fusion", "himoe"), **config):
    settings = Config(datasets=list(datasets), models=list(models), protocols=["loso"], conditions={}, **config)
    run = Evidence({"claims": [str(ROOT / "config/claims.yaml")]}, settings)
    frame = pd.DataFrame(made, columns=[*KEYS, "value"])
    run.__dict__.update(all_scores=frame, failed={}, runs=[], predictions=NO_PREDICTIONS, routing=NO_ROUTING, audits=[PROBE])
    return run


RUN = [
    *rows("leave_one_rater_out", 0.45), *rows("stimulus_mean", 0.44), *rows("train_mean", 0.0), *rows("ridge", 0.30, 0.1),
    *rows("late_fusion", 0.205), *rows("himoe", 0.20),
]  # fmt: skip


@pytest.fixture
def answers():
    data = answer.make(evidence(RUN)).data
    return dict(zip(data["question"], data["answer"], strict=True))


def test_what_predicts_is_told_beside_the_clip(answers):
    text = answers[answer.PREDICTS]
    assert text.startswith("The best model, ridge, reaches CCC 0.300 [")
    assert "without any signal, more: 0.450 [" in text
    assert text.endswith("people left out: 80% right, chance 12%.")


def test_ties_are_undecided_and_references_have_no_rank(answers):
    """Hi-MoE .200 against ridge .300 and late fusion .205 (people differ by .02 in these leads), ahead of the training mean."""
    text = answers[answer.STANDS]
    assert "rank 3 of 4 by the mean" in text
    assert "ahead of 1 (train mean); behind 1 (ridge); undecided against 1 (late fusion)" in text
    assert answers[answer.ADDS].startswith("CCC, less than ridge: −0.100 [")
    assert "no difference shown from late fusion: −0.005 [" in answers[answer.ADDS]


def test_knowledge_beyond_the_clip_needs_an_interval_above_0(answers):
    assert answers[answer.BEYOND].startswith("Yes: PCC within clips Hi-MoE 0.000 [")
    assert "ridge 0.100 [" in answers[answer.BEYOND]
    nobody = answer.make(evidence([*rows("ridge", 0.3, 0.0), *rows("himoe", 0.2, 0.0)])).data.set_index("question")
    assert nobody.loc[answer.BEYOND, "answer"].startswith("Not shown: ")


def test_simulated_data_are_left_out_where_there_are_real_ones():
    twin = [(*("case_twin", *row[1:]),) for row in RUN]
    both = answer.make(evidence([*RUN, *twin], ["case", "case_twin"]))
    assert set(both.data["setting"]) == {"case"}
    assert both.finding.startswith("CASE: CCC 0.200 [")
    alone = answer.make(evidence(twin, ["case_twin"]))
    assert alone.shown["data set"].unique().tolist() == ["CASE twin (synthetic)"]


def test_what_would_settle_a_claim_follows_from_the_lead_that_is_seen():
    """A lead of .06 seen by 8 people: .02 asks for 9 times as many."""
    here = pd.DataFrame({"id": ["C2"], "verdict": ["inconclusive"], "detectable": [0.06], "smallest": [0.02]})
    assert answer._settles(here, 8) == "C2 sees a lead of 0.060; 0.02 asks for about 72 people."
