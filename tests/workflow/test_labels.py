"""Data sets whose labels differ from token to token, through the whole workflow."""

from __future__ import annotations

import pandas as pd
import pytest

from himoe.names import CEILINGS
from tests.workflow.runs import checkout, snakemake, write_config


@pytest.mark.slow(60)
def test_every_kind_of_label_reaches_the_scores(tmp_path):
    """Ragged per-token sets, one with late annotators (tokens without a label), through all five models; the results in another
    folder than the checkout."""
    folder, elsewhere = checkout(tmp_path / "checkout"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    changes = {
        "datasets": ["case_twin", "esports_twin"], "annotator_lag": {"case_twin": 2.0},
        "twin": {"subjects": 6, "trials": 3, "seconds": 24, "snr": 1.0},
    }  # fmt: skip
    done = snakemake(folder, "--directory", str(elsewhere), "--configfile", write_config(folder, changes))
    assert done.returncode == 0, done.stderr[-4000:]
    assert (elsewhere / "results/report.html").is_file()
    assert not (folder / "results").exists()
    scores = pd.read_csv(elsewhere / "results/scores.csv")
    assert not scores.isna().any().any()
    assert set(scores["model"]) == {"train_mean", "stimulus_mean", "ridge", "late_fusion", "himoe", *CEILINGS}
    predictions = pd.read_parquet(next((elsewhere / "results").glob("case_twin/*/ridge/*/*/predictions.parquet")))
    assert predictions["y_true"].notna().all()
