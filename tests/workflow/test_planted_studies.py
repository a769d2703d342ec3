"""Planted studies end to end, small: born as tokens, fitted as any data set, judged in one table."""

from __future__ import annotations

import pandas as pd
import pytest
import yaml

from himoe import io
from himoe.names import CEILINGS
from himoe.stats.verdicts import UNTESTABLE, WORDS
from tests.conftest import ROOT
from tests.workflow.runs import checkout, snakemake

pytestmark = pytest.mark.slow(80)
SIZE = {"subjects": 6, "trials": 4, "seconds": 30}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = checkout(tmp_path_factory.mktemp("planted"))
    config = yaml.safe_load((ROOT / "config/planted.yaml").read_text())
    config |= {
        "datasets": [d for d in config["datasets"] if "." not in d]
        + ["planted-base.0", "planted-states.0", "planted-null.0", "planted-null.1"],
        "planted": {name: settings | SIZE for name, settings in config["planted"].items()},
        "splits": {"n_folds": 2},
        "training": config["training"] | {"epochs": 2, "crop_seconds": 12},
        "model_options": {"himoe": {"width": 16, "max_lag": 2}, "late_fusion": {"width": 16}},
        "conditions": {name: severities[:2] for name, severities in config["conditions"].items()} | {"shift_missing": [0, 4]},
        "tables": ["planted", "main", "robustness", "lag_recovery", "data_card", "compute_card", "register"],
    }
    (folder / "run.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(folder, "--configfile", "run.yaml")
    assert done.returncode == 0, done.stderr[-4000:]
    return folder, config


def test_every_study_has_a_verdict(run):
    folder, _ = run
    table = pd.read_csv(folder / "results/tables/planted.csv")
    assert table["id"].tolist() == [s["id"] for s in yaml.safe_load((ROOT / "config/studies.yaml").read_text())]
    verdicts = table.set_index("id")["verdict"]
    assert verdicts["e"] == "not run"  # two replicates of twenty
    assert set(verdicts.drop("e")) <= {
        *WORDS,
        UNTESTABLE,
    }  # the file's data sets cover its studies
    assert table["evidence"].str.contains(r"\d").all()
    page = (folder / "results/report.html").read_text()
    assert "SYNTHETIC" in page
    assert "are their lags against the others found?" in page


def test_only_the_models_named_are_fitted(run):
    folder, config = run
    for dataset in ("planted-base.0", "planted-null.0"):
        name = dataset.partition("-")[2].partition(".")[0]
        fits = folder / "results" / dataset / "subject_kfold"
        assert sorted(p.name for p in fits.iterdir() if p.is_dir()) == sorted(config["planted"][name]["models"])
    main = pd.read_csv(folder / "results/tables/main.csv")
    assert set(main.loc[main["setting"] == "planted-clusters", "model"]) == {"himoe", *CEILINGS}
    assert main["ccc"].notna().all()


def test_what_was_injected_stands_beside_what_was_estimated(run):
    folder, _ = run
    shard = folder / "results/planted-base.0/subject_kfold/himoe/seed-0/shard-0/routing.parquet"
    routing = pd.read_parquet(shard)
    injected = routing[(routing["condition"] == "shift") & (routing["quantity"] == "injected")]
    by_trial = injected[injected["severity"] == 2].groupby(["subject", "trial"])["value"].agg(lambda v: v.abs().sum())
    assert set(by_trial) == {2.0}  # one modality, by two seconds
    assert not injected.loc[injected["severity"] == 0, "value"].any()
    figure = pd.read_csv(folder / "results/figures/lags.csv")
    assert set(figure["condition"]) == {"shift", "shift_half", "shift_all"}
    table = pd.read_csv(folder / "results/tables/lag_recovery.csv")
    per_token = table[table["setting"] == "planted-base.0"]
    assert per_token["condition"].value_counts().to_dict() == {"shift": 7, "shift_half": 7, "shift_all": 7}  # all, and each


def test_what_is_inside_is_drawn_once_for_each_data_set(run):
    folder, _ = run
    first = [
        "planted-unequal",
        "planted-clusters",
        "planted_rated-plain",
        "planted-base.0",
        "planted-states.0",
        "planted-null.0",
    ]
    for name in ("embedding", "prototypes", "information", "calibration"):
        settings = pd.read_csv(folder / f"results/figures/{name}.csv")["setting"]
        assert list(dict.fromkeys(settings)) == first, name  # the second replicate of null is no other data set


def test_another_setting_makes_only_its_data_again(run):
    folder, config = run
    changed = config["planted"] | {"clusters": config["planted"]["clusters"] | {"snr": 2.0}}
    (folder / "again.yaml").write_text(yaml.safe_dump(config | {"planted": changed}))
    plan = snakemake(folder, "--configfile", "again.yaml", "-n").stdout
    assert "simulate_planted_clusters" in plan
    assert "simulate_planted_base" not in plan
    assert io.read_json(folder / "results/planted-clusters/truth.json")["cluster"]
