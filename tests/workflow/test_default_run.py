"""The default run says what was planted, and nothing when nothing was."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from scipy.stats import wilcoxon

from himoe.stats.inference import holm
from tests.workflow.runs import checkout, snakemake, write_config

PHYSIOLOGY = ["ridge", "late_fusion", "himoe"]


@pytest.mark.slow
def test_every_physiology_model_beats_the_training_mean_on_the_twins(tmp_path):
    folder = checkout(tmp_path)
    done = snakemake(folder)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(re.search(r"total\s+(\d+)", done.stdout + done.stderr)[1]) <= 120
    table = pd.read_csv(folder / "results/tables/main.csv")
    assert len(table) == 2 * 2 * (14 + 2)
    controls = table[table["model"].str.contains("-")]
    assert (controls["skill_low"] <= 0).all()
    own = table[table["model"].isin(PHYSIOLOGY)]
    assert (own["skill_low"] > 0).all(), own[["setting", "target", "model", "skill", "skill_low"]]
    assert (own["ccc_low"] > 0.3).all()
    assert (folder / "results/report.html").stat().st_size < 8_000_000


@pytest.mark.slow
def test_nothing_planted_nothing_found(tmp_path):
    """SNR 0: no physiology model beats the training mean; the stimulus mean, which needs no physiology, still does."""
    folder = checkout(tmp_path)
    changes = {
        "twin": {"subjects": 10, "trials": 14, "seconds": 20, "snr": 0.0}, "splits": {"n_folds": 5},
        "training": {"epochs": 6, "crop_seconds": 18}, "conditions": {"missing_rate": [0, 0.5], "shift": [0, 2]},
    }  # fmt: skip
    done = snakemake(folder, "--configfile", write_config(folder, changes))
    assert done.returncode == 0, done.stderr[-3000:]
    scores = pd.read_csv(folder / "results/scores.csv")
    skill = scores[(scores["metric"] == "skill") & (scores["condition"] == "clean") & (scores["subject"] != "(pooled)")]
    own = skill[skill["model"].isin(PHYSIOLOGY)].groupby(["dataset", "target", "model"])["value"]
    p_values = holm([float(wilcoxon(values, alternative="greater").pvalue) for _, values in own])
    assert len(p_values) == 12
    assert min(p_values) > 0.05, dict(zip(own.groups, p_values, strict=True))
    assert own.mean().max() < 0.1
    table = pd.read_csv(folder / "results/tables/main.csv")
    assert (table.loc[table["model"] == "stimulus_mean", "skill_low"] > 0).all()
