"""The default run, as its user makes it: once through, what was planted is found, nothing is made twice."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from himoe import io, registry
from tests.conftest import ROOT
from tests.workflow.runs import PHYSIOLOGY, snakemake

pytestmark = pytest.mark.slow(180)
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())


def planned(run: Path, config: Path, changes: dict) -> str:
    """What snakemake would do in the run's folder with some keys of the config changed; ``config`` is written for it."""
    config.write_text(yaml.safe_dump(CONFIG | changes, sort_keys=False))
    plan = snakemake(run, "-n", "--configfile", str(config))
    assert plan.returncode == 0, plan.stderr[-2000:]
    return plan.stdout + plan.stderr


def test_everything_named_is_there(default_run):
    for name in ("report.html", "results.json", "scores.csv"):
        assert (default_run / "results" / name).stat().st_size > 1000
    assert int(re.search(r"total\s+(\d+)", (default_run / "printed.txt").read_text())[1]) <= 120


def test_every_physiology_model_beats_the_training_mean_on_the_twins(default_run):
    table = pd.read_csv(default_run / "results/tables/main.csv")
    assert len(table) == 2 * 2 * (14 + 2 + 3)  # models, controls, ceilings
    controls = table[table["kind"] == "control"]
    assert (controls["raw_skill_low"] <= 0).all()
    physiology = table[table["model"].isin(PHYSIOLOGY)]
    assert (physiology["ccc_low"] > 0.1).all(), physiology[["setting", "target", "model", "ccc", "ccc_low"]]
    assert (default_run / "results/report.html").stat().st_size < 8_000_000


def test_what_leaves_does_not_say_where_data_stand(default_run):
    made = [*(default_run / "results").glob("*.*"), *(default_run / "results/tables").iterdir()]
    assert len(made) > 10
    assert not [path.name for path in made if b"home/of/somebody" in path.read_bytes()]


def test_what_was_sealed_is_the_design_of_the_run(default_run):
    """Fits seal the config as the workflow completes it, with the models that controls and ablations add."""
    assert io.read_json(default_run / "results/tables/claims.json")["note"] == ""


def test_scores_are_tidy(default_run):
    scores = pd.read_csv(default_run / "results/scores.csv")
    expected = ["dataset", "protocol", "model", "seed", "subject", "condition", "severity", "target", "metric", "value", "n"]
    assert list(scores.columns) == expected
    assert not scores.isna().any().any()
    assert set(scores["dataset"]) == set(CONFIG["datasets"])
    by_subject = scores[(scores["metric"] == "ccc") & (scores["subject"] != "(pooled)")]
    # 2 data sets, 6 subjects, 2 targets; 14 models, clean + 5 severities of each condition; 2 controls and 3 ceilings, clean
    assert len(by_subject) == 2 * 6 * 2 * (14 * (1 + 5 + 5) + 2 + 3)
    constant = scores[(scores["metric"] == "constant") & (scores["model"] == "train_mean") & (scores["subject"] != "(pooled)")]
    assert (constant["value"] == 1).all()


def test_ceilings_are_where_they_must_be(default_run):
    table = pd.read_csv(default_run / "results/tables/ceilings.csv").set_index(["setting", "target", "model"])
    ccc = table["ccc"].unstack()
    assert (ccc["rating_bias"] > ccc["leave_one_rater_out"]).all()
    left = table["residual_pcc"].unstack()
    assert (left["stimulus_mean"].abs() < 0.25).all()
    assert (left["ridge"] > 0.2).all()  # twins' people differ on one clip, and their physiology says so


def test_predictions_hold_every_trial_of_every_condition(default_run):
    files = sorted((default_run / "results").glob("*_twin/subject_kfold/*/seed-0/shard-0/predictions.parquet"))
    assert len(files) == 2 * (14 + 2)
    for file in files:
        predictions = pd.read_parquet(file)
        counts = predictions.groupby(["condition", "severity", "target"]).size()
        assert (counts == 6 * 12).all()
        under_control = bool(registry.control_of(predictions["model"].iloc[0]))
        assert len(counts) == (1 if under_control else 1 + 5 + 5) * 2
        assert predictions["y_pred"].notna().all()


def test_a_second_call_does_nothing(default_run):
    again = snakemake(default_run)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr


def test_the_order_of_keys_is_no_other_fit(default_run, tmp_path):
    backwards = {name: dict(reversed(options.items())) for name, options in CONFIG["model_options"].items()}
    text = planned(default_run, tmp_path / "changed.yaml", {"model_options": backwards})
    assert re.search(r"^write_table", text, re.M)  # the config is shown in their order
    assert not re.search(r"^(fit_model|predict|prepare_subject)", text, re.M)


def test_a_new_severity_does_not_refit(default_run, tmp_path):
    text = planned(default_run, tmp_path / "changed.yaml", {"conditions": {"missing_rate": [0, 0.2, 0.5], "shift": [0, 2]}})
    assert re.search(r"^predict +28", text, re.M)  # all but the controls'
    assert not re.search(r"^fit_model", text, re.M)
    assert not re.search(r"^prepare_subject", text, re.M)


def test_a_new_seed_reuses_the_data(default_run, tmp_path):
    text = planned(default_run, tmp_path / "changed.yaml", {"seeds": [0, 1]})
    assert re.search(r"^fit_model +32", text, re.M)
    assert not re.search(r"^prepare_subject", text, re.M)
