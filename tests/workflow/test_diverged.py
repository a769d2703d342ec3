"""A model that diverges fails alone: the run ends, and the report says so wherever its score would stand."""

from __future__ import annotations

import pandas as pd
import pytest

from himoe import io
from tests.workflow.runs import copied, snakemake, write_config

pytestmark = pytest.mark.slow(35)


@pytest.fixture(scope="module")
def diverged(small_data, tmp_path_factory):
    """A learning rate at which no network can stay finite; estimators do not care."""
    folder = copied(small_data, tmp_path_factory.mktemp("diverged"))
    changes = {"datasets": ["deap_twin"], "training": {"epochs": 3, "crop_seconds": 12, "learning_rate": 1e30}}
    done = snakemake(folder, "--configfile", write_config(folder, changes))
    assert done.returncode == 0, done.stderr[-4000:]
    return folder, done


def test_the_run_record_says_where(diverged):
    folder, done = diverged
    fits = folder / "results/deap_twin/subject_kfold"
    for model in ("himoe", "late_fusion"):
        fit = fits / model / "seed-0/shard-0"
        folds = io.read_json(fit / "run.json")["folds"].values()
        assert all(fold["failed"].startswith(("diverged in epoch 1", "diverged in epoch 2")) for fold in folds)
        predictions = pd.read_parquet(fit / "predictions.parquet")
        assert predictions["y_pred"].isna().all()
        assert predictions["y_true"].notna().all()
        assert "the weights before that are kept, the other folds go on" in (fit / "fit_model.log").read_text()
    assert "fold 0 failed: diverged in epoch" in done.stderr
    assert not any(f["failed"] for f in io.read_json(fits / "ridge/seed-0/shard-0/run.json")["folds"].values())


def test_no_number_stands_in_for_a_score(diverged):
    folder, _ = diverged
    tables = folder / "results/tables"
    scores = pd.read_csv(folder / "results/scores.csv")
    lost = scores["model"].isin(["himoe", "late_fusion"])
    flags = scores["metric"].str.endswith("failed")
    assert scores.loc[lost & ~flags, "value"].isna().all()
    assert scores.loc[~lost, "value"].notna().all()
    assert (scores.loc[flags, "value"] == lost[flags]).all()
    main = pd.read_csv(tables / "main.csv")
    assert set(main.loc[main["ccc"].isna(), "model"]) == {"himoe", "late_fusion"}
    comparison = pd.read_csv(tables / "comparison.csv")
    assert comparison[["difference", "p", "p_holm"]].isna().all().all()
    claims = pd.read_csv(tables / "claims.csv")
    tested = claims[(claims["setting"] == "deap_twin") & claims["id"].isin(["C1", "C2", "C3"])]
    assert set(tested["verdict"]) == {"failed", "untestable on this data"}
    assert tested["evidence"].str.contains("Hi-MoE diverged in 2 of its folds").any()


def test_the_report_says_so(diverged):
    folder, _ = diverged
    page = (folder / "results/report.html").read_text()
    assert page.count("failed: diverged") >= 10
    assert "Failed: Hi-MoE on DEAP twin diverged in seed 0 fold 0, seed 0 fold 1." in page
    assert "2 (2 failed)" in page
    assert "nan" not in io.read_json(folder / "results/tables/main.json")["rows"].__repr__().lower()
