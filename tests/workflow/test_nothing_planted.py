"""Where nothing was planted, nothing is found."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy.stats import wilcoxon

from himoe.stats.inference import holm
from tests.workflow.runs import PHYSIOLOGY, checkout, snakemake, write_config


@pytest.mark.slow(80)
def test_nothing_planted_nothing_found(tmp_path):
    """SNR 0: no physiology model beats the training mean; the stimulus mean, which needs no physiology, still does."""
    folder = checkout(tmp_path)
    changes = {
        "twin": {"subjects": 9, "trials": 12, "seconds": 20, "snr": 0.0}, "splits": {"n_folds": 3},
        "training": {"epochs": 6, "crop_seconds": 18}, "execution": {"stack": 3}, "conditions": {},
        "models": ["stimulus_mean", *PHYSIOLOGY], "tables": ["main"], "figures": [],
    }  # fmt: skip
    done = snakemake(folder, "--configfile", write_config(folder, changes))
    assert done.returncode == 0, done.stderr[-3000:]
    scores = pd.read_csv(folder / "results/scores.csv")
    skill = scores[(scores["metric"] == "raw_skill") & (scores["condition"] == "clean") & (scores["subject"] != "(pooled)")]
    values = skill[skill["model"].isin(PHYSIOLOGY)].groupby(["dataset", "target", "model"])["value"]
    p_values = holm([float(wilcoxon(v, alternative="greater").pvalue) for _, v in values])
    assert len(p_values) == 12
    assert min(p_values) > 0.05, dict(zip(values.groups, p_values, strict=True))
    assert values.mean().max() < 0.1
    table = pd.read_csv(folder / "results/tables/main.csv")
    assert (table.loc[table["model"] == "stimulus_mean", "ccc_low"] > 0).all()
