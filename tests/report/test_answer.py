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
PROBE = {
    "dataset": "case",
    "protocol": "loso",
    "findings": [{"check": "clip", "evidence": "80% right, chance 12%", "verdict": "not run"}],
}


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
    assert answers[answer.BEYOND].startswith("Something is known beyond the clip, by ridge. PCC Hi-MoE 0.000 [")
    assert "ridge 0.100 [" in answers[answer.BEYOND]
    nobody = answer.make(evidence([*rows("ridge", 0.3, 0.0), *rows("himoe", 0.2, 0.0)])).data.set_index("question")
    assert nobody.loc[answer.BEYOND, "answer"].startswith("Nothing is shown to be known beyond the clip. PCC ")


def test_where_nothing_predicts_no_model_is_called_the_best():
    text = answer.make(evidence([*rows("train_mean", 0.0), *rows("himoe", -0.1)])).data["answer"].iloc[0]
    assert text.startswith("No model's CCC is above 0; the highest is train mean's, ")
    assert "best" not in text


def test_simulated_data_are_left_out_where_there_are_real_ones():
    twin = [(*("case_twin", *row[1:]),) for row in RUN]
    both = answer.make(evidence([*RUN, *twin], ["case", "case_twin"]))
    assert set(both.data["setting"]) == {"case"}
    assert both.finding.startswith("CASE: Hi-MoE: CCC 0.200 [")
    alone = answer.make(evidence(twin, ["case_twin"]))
    assert alone.shown["data set"].unique().tolist() == ["CASE twin (synthetic)"]


def test_what_would_settle_a_claim_follows_from_the_lead_that_is_seen():
    """A lead of .06 seen by 8 people: .02 asks for 9 times as many; but not where seeds differ, nor where .02 is seen."""
    here = pd.DataFrame({"id": ["C2"], "verdict": ["inconclusive"], "detectable": [0.06], "smallest": [0.02]})
    assert answer._settles(here, 8, 1) == "C2 sees a lead of 0.060 with 80% power; 0.02 asks for about 72 people."
    assert answer._settles(here, 8, 3).endswith("0.02 asks for more people, and more seeds.")
    assert "people" not in answer._settles(here.assign(detectable=0.015), 32, 1)
    assert answer._settles(here.assign(detectable=np.nan), 8, 1) == "C2 needs 3 seeds."


def test_a_diverged_fold_is_told_and_moves_nobody_up_in_silence():
    failed = [row if (row[1], row[3]) != ("ridge", "s3") else (*row[:-1], np.nan) for row in RUN]
    data = answer.make(evidence(failed)).data.set_index("question")["answer"]
    assert "rank 2 of 3" in data[answer.STANDS]
    assert "Without a score, for a fold diverged: ridge." in data[answer.STANDS]
    failed = [row if (row[1], row[3]) != ("himoe", "s3") else (*row[:-1], np.nan) for row in RUN]
    stands = answer.make(evidence(failed)).data.set_index("question").loc[answer.STANDS, "answer"]
    assert stands == "Nothing is said of Hi-MoE: a fold of it diverged."


def test_networks_that_people_share_and_few_seeds_are_told():
    run = evidence(RUN)
    shared = Evidence(run.files, run.config.model_copy(update={"protocols": ["subject_stimulus"]}))
    shared.__dict__.update({k: v for k, v in run.__dict__.items() if k not in ("files", "config")})
    data = answer.make(shared).data.set_index("question")["answer"]
    assert answer.FEW_SEEDS in data[answer.STANDS]
    assert answer.FEW_SEEDS in data[answer.ADDS]


def test_people_without_a_clip_in_common_with_anybody_do_not_stop_the_others():
    alone = [row for row in RUN if (row[1], row[3]) != ("leave_one_rater_out", "s0")]
    assert "without any signal" in answer.make(evidence(alone)).data.set_index("question").loc[answer.PREDICTS, "answer"]


def test_the_box_tells_where_hi_moe_stands_in_plain_words():
    page = answer.make(evidence(RUN)).page
    box = {row["question"]: row["answers"] for row in page["box"]}
    assert box[answer.STANDS] == [
        "3rd of 4 by mean CCC on clean input, 0.20 [0.19, 0.21]: ahead of 1 (train mean), behind 1 (ridge), undecided "
        "against 1 (late fusion)."
    ]
    assert box[answer.BEST] == ["Ridge, CCC 0.30 [0.29, 0.31] (interval as of the highest of all), ahead of all others."]
    assert box[answer.BEYOND] == ["Shown for 1 of 4 models, not for Hi-MoE."]
    assert box[answer.HOLDS][0].startswith("None of 7 claims is supported")
    assert box[answer.LEAKS] == ["0 of 1 checks passed, 1 not run; what was only measured is in the audit."]
    assert 3 <= len(box) <= 5
    assert "loso" not in str(page)
    assert page["caution"] == ""


def test_the_picture_has_every_rival_and_no_reference():
    (panel,) = answer.make(evidence(RUN)).page["panels"]
    assert [(row["label"], row["side"]) for row in panel["rows"]] == [
        ("train mean", "ahead"), ("ridge", "behind"), ("late fusion", "undecided"),
    ]  # fmt: skip
    assert panel["title"] == "CASE"


def test_the_title_says_where_data_are_simulated():
    assert answer.make(evidence(RUN)).page["outcome"].startswith("Hi-MoE: none of 7 claims supported")
    twin = [(*("case_twin", *row[1:]),) for row in RUN]
    assert answer.make(evidence(twin, ["case_twin"])).page["outcome"].startswith("Hi-MoE on simulated data: none of 7")


def test_more_settings_than_can_be_read_at_a_glance_are_counted():
    more = [(*(f"case-v{i}", *row[1:]),) for i in range(2) for row in RUN]
    whole = {f"v{i}": {"case": {"modalities": ["gsr"]}} for i in range(2)}
    page = answer.make(evidence([*RUN, *more], ["case", "case-v0", "case-v1"], variants=whole)).page
    assert len(page["panels"]) == 2
    assert page["more"] == 1
    assert page["box"][1]["answers"][0].startswith("CASE: 3rd of 4")
