"""What could not be used on a new stimulus or person is drawn as a reference: never a rival, never the best model."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from himoe import registry
from himoe.config.load import load_config
from himoe.names import CEILINGS
from himoe.report import style
from himoe.report.evidence import Evidence
from himoe.report.titles import model_title
from tests.report.scores import scores

MEANS = {"ridge": 0.4, "himoe": 0.5, "stimulus_mean": 0.7, "leave_one_rater_out": 0.8, "rating_bias": 0.9}
LEFT = {"ridge": 0.0, "himoe": 0.3, "stimulus_mean": 0.0}


def test_who_is_a_reference():
    assert [m for m in registry.available("models") if registry.is_reference(m)] == ["stimulus_mean", "subject_mean"]
    assert all(registry.is_reference(c) and model_title(c) != c for c in CEILINGS)
    assert not registry.is_reference("himoe-flat")
    models = ["train_mean", "stimulus_mean", "ridge", "himoe"]
    config = load_config(
        {"models": models, "ablations": {"flat": {"hierarchy": "flat"}}, "controls": {"shuffled_labels": ["ridge"]}}
    )
    assert config.compared == models
    assert config.rivals == ["train_mean", "ridge"]


@pytest.fixture
def run(tmp_path):
    rows, rng = [], np.random.default_rng(0)
    for model, ccc in MEANS.items():
        for i in range(6):
            values = {"ccc": ccc, "skill": ccc, "rmse": 1 - ccc, "reference_rmse": 1.0, "constant": 0.0, "failed": 0.0}
            values |= {"residual_pcc": LEFT[model], "residual_ccc": LEFT[model]} if model in LEFT else {}
            key = ("deap_twin", "subject_kfold", model, 0, f"s{i}", "clean", 0.0, "valence")
            rows += [(*key, name, value + 0.01 * rng.standard_normal(), 4) for name, value in values.items()]
    columns = ["dataset", "protocol", "model", "seed", "subject", "condition", "severity", "target", "metric", "value", "n"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "scores.csv", index=False)
    probe = {"check": "clip", "question": "?", "verdict": "reported", "evidence": "31% right, chance 8%"}
    sheet = {"dataset": "deap_twin", "protocol": "subject_kfold", "findings": [probe]}
    (tmp_path / "audit.json").write_text(json.dumps(sheet))
    config = load_config({
        "models": ["stimulus_mean", "ridge", "himoe"], "datasets": ["deap_twin"], "targets": {"deap_twin": ["valence"]},
    })  # fmt: skip
    made = Evidence({"scores": [str(tmp_path / "scores.csv")], "audits": [str(tmp_path / "audit.json")]}, config)
    nothing = {"runs": [], "routing": pd.DataFrame(columns=["quantity", "condition", "setting", "model", "part"])}
    predictions = pd.DataFrame(
        columns=["setting", "model", "seed", "fold", "subject", "trial", "target", "y_pred", "condition"]
    )
    made.__dict__.update(nothing, predictions=predictions)
    return made


def test_the_main_table_lists_references_below_the_models(run):
    from himoe.tables import main

    item = main.make(run)
    assert item.data["model"].tolist() == ["himoe", "ridge", "rating_bias", "leave_one_rater_out", "stimulus_mean"]
    assert item.shown["model"].tolist()[1:3] == ["ridge", "own ratings, others' level (reference)"]
    assert "DEAP twin, valence: highest CCC Hi-MoE, 0.505, ahead of all others." in item.finding


def test_the_wide_table_marks_the_best_and_what_is_not_told_apart_from_it(run):
    """Hi-MoE .5 and ridge less, people +-.01: told apart. References stand below, marked by nothing."""
    from himoe.tables import main

    page = main.make(run).page
    assert [block["kind"] for block in page["blocks"]] == ["model", "reference"]
    cells = {row["model"]: row["cells"][0]["ccc"] for block in page["blocks"] for row in block["rows"]}
    assert [cells[m][3] for m in ("ridge", "himoe", "stimulus_mean", "rating_bias")] == ["", "best", "", ""]
    assert cells["himoe"][1] < cells["himoe"][0] < cells["himoe"][2]
    assert page["columns"] == [{"setting": "deap_twin", "target": "valence"}]


def test_ties_and_lower_errors_are_marked():
    from himoe.tables import main

    made = scores({"ridge": 0.5, "himoe": 0.5, "train_mean": 0.0})  # errors .5, .5 and 1
    made = pd.concat([made, made[made["metric"] == "ccc"].assign(metric="raw_ccc")])
    models = ["train_mean", "ridge", "himoe"]
    run = Evidence({}, load_config({"models": models, "datasets": ["deap_twin"], "targets": {"deap_twin": ["valence"]}}))
    run.__dict__["all_scores"] = made
    marks = main._marks(
        run, "deap_twin", "valence", pd.DataFrame({"setting": "deap_twin", "target": "valence", "model": models})
    )
    for metric in main.SHOWN:
        assert sorted(marks[metric].values()) == ["", "best", "tied"], metric
        assert marks[metric]["train_mean"] == ""


def test_the_table_of_ceilings_says_what_a_model_knows_beyond_the_clip(run):
    from himoe.tables import ceilings

    item = ceilings.make(run)
    assert item.data["kind"].tolist() == ["ceiling"] * 3 + ["reference", "model", "model"]
    assert item.shown["CCC [95% CI]"].iloc[2] == "–"  # rating_bias_and_spread is not in these scores
    assert "best model (Hi-MoE) 0.5" in item.finding
    assert "left of it within a clip: PCC 0.302 [0.292, 0.313], not corrected for picking it" in item.finding
    assert item.note.endswith("31% right, chance 8%.")
    assert len(item.shown.columns) <= 8


def test_without_shared_clips_the_table_has_dashes(run):
    from himoe.tables import ceilings

    scores = run.all_scores
    run.__dict__["all_scores"] = scores[~scores["model"].isin(CEILINGS) & ~scores["metric"].str.startswith("residual")]
    item = ceilings.make(run)
    assert (item.shown["left within a clip, PCC [95% CI]"] == "–").all()
    assert "no clip has two raters" in item.finding
    assert "what is left of it within a clip cannot be told" in item.finding


def test_the_figure_draws_ceilings_as_lines_and_references_at_the_right(run):
    from himoe.figures import subjects

    with style.themed(style.LIGHT):
        item = subjects.draw(run, style.LIGHT)
    ax = item.figure.axes[0]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["ridge", "Hi-MoE", "stimulus mean"]
    heights = {line.get_label(): line.get_ydata()[0] for line in ax.lines if line.get_label() in map(model_title, CEILINGS)}
    assert heights == pytest.approx({"mean of the other raters": 0.8, "own ratings, others' level": 0.9}, abs=0.02)
    assert set(item.data["model"]) == set(MEANS)
    assert style.line_styles(style.LIGHT, ["stimulus_mean", "ridge"])["stimulus_mean"].dash == ":"


def test_slopes_go_from_the_best_rival_to_hi_moe(run):
    """Six people whose Hi-MoE is .5 and ridge .4, give or take .01; then four of them worse under Hi-MoE."""
    from himoe.figures import subjects

    with style.themed(style.LIGHT):
        assert subjects.draw(run, style.LIGHT).finding == (
            "DEAP twin: Hi-MoE (0.50) ahead of ridge (0.40) for 6 of 6 people (100%)."
        )
        scores = run.all_scores
        worse = (scores["model"] == "himoe") & (scores["metric"] == "ccc") & scores["subject"].isin(["s0", "s1", "s2", "s3"])
        run.__dict__["all_scores"] = scores.assign(value=scores["value"].where(~worse, 0.1))
        drawn = subjects.draw(run, style.LIGHT)
    assert "ahead of ridge (0.40) for 2 of 6 people (33%)" in drawn.finding
    slopes = [line.get_color() for line in drawn.figure.axes[0].lines if len(line.get_xdata()) == 2 and line.get_alpha()]
    assert (slopes.count(style.LIGHT.accent), slopes.count(style.LIGHT.palette[0])) == (2, 4)


def test_without_a_rival_there_are_points_alone(run):
    from himoe.figures import subjects

    scores = run.all_scores
    run.__dict__["all_scores"] = scores.assign(
        value=scores["value"].mask((scores["model"] == "ridge") & (scores["subject"] == "s0"))
    )
    with style.themed(style.LIGHT):
        drawn = subjects.draw(run, style.LIGHT)
    assert drawn.finding == "DEAP twin: no rival to hold Hi-MoE against."
    assert [t.get_text() for t in drawn.figure.axes[0].texts] == ["failed: diverged"]


def test_bold_tells_some_models_from_others():
    """Where every model is tied with the best, the best alone is marked."""
    from himoe.tables import main

    some, all_tied = {"a": "best", "b": "tied", "c": ""}, {"a": "best", "b": "tied"}
    assert [main._mark(some, m) for m in "abc"] == ["best", "tied", ""]
    assert [main._mark(all_tied, m) for m in "ab"] == ["best", ""]
