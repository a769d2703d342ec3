"""Data sets whose labels differ from token to token, through the whole workflow."""

from __future__ import annotations

import pandas as pd
import pytest

from himoe.names import CEILINGS
from tests.workflow.runs import checkout, snakemake, write_config


@pytest.mark.slow(60)
def test_every_kind_of_label_reaches_the_scores(tmp_path):
    """Ragged per-token sets, one with late annotators (tokens without a label), through all five models."""
    folder = checkout(tmp_path)
    changes = {
        "datasets": ["case_twin", "esports_twin"], "annotator_lag": {"case_twin": 2.0},
        "twin": {"subjects": 6, "trials": 4, "seconds": 30, "snr": 1.0},
    }  # fmt: skip
    done = snakemake(folder, "--configfile", write_config(folder, changes))
    assert done.returncode == 0, done.stderr[-4000:]
    scores = pd.read_csv(folder / "results/scores.csv")
    assert not scores.isna().any().any()
    assert set(scores["model"]) == {"train_mean", "stimulus_mean", "ridge", "late_fusion", "himoe", *CEILINGS}
    predictions = pd.read_parquet(next((folder / "results").glob("case_twin/*/ridge/*/*/predictions.parquet")))
    assert predictions["y_true"].notna().all()
