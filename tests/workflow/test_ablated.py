"""Ablations beside a run, under two protocols of which one perturbs nothing: every item stands it."""

from __future__ import annotations

import pandas as pd
import pytest
import yaml

from himoe import io
from himoe.names import CEILINGS
from tests.workflow.runs import copied, snakemake, write_config

pytestmark = pytest.mark.slow(60)
SOME = {"emotion_single": {"emotion_router": "single"}, "flat": {"hierarchy": "flat"}}


@pytest.fixture(scope="module")
def ablated(small_data, tmp_path_factory):
    """A finished run of two config files. Windows are not perturbed: items on robustness do without them."""
    folder = copied(small_data, tmp_path_factory.mktemp("ablated"))
    (folder / "some.yaml").write_text(yaml.safe_dump({"ablations": SOME}))
    changes = {
        "datasets": ["deap_twin"], "protocols": ["subject_kfold", "window_random"],
        "models": ["train_mean", "ridge", "eegnet", "himoe"], "controls": {"shuffled_labels": ["nearest"]},
        "conditions": {"missing_rate": [0, 0.5]}, "training": {"epochs": 2, "crop_seconds": 12},
    }  # fmt: skip
    done = snakemake(folder, "--configfile", write_config(folder, changes), "some.yaml")
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


def test_each_ablation_is_fitted_as_a_model_of_its_own(ablated):
    fits = ablated / "results/deap_twin/subject_kfold"
    names = ["himoe", *(f"himoe-{name}" for name in SOME)]
    others = ["train_mean", "ridge", "eegnet", "nearest-shuffled_labels"]
    assert sorted(p.name for p in fits.iterdir() if p.is_dir()) == sorted([*names, *others])
    for name in names:
        record = io.read_json(fits / name / "seed-0/shard-0/run.json")
        config = {key: value for key, value, *_ in record["model_config"]}
        assert {k: config[k] for k in SOME.get(name.partition("-")[2], {})} == SOME.get(name.partition("-")[2], {})


def test_the_table_compares_each_with_hi_moe(ablated):
    table = pd.read_csv(ablated / "results/tables/ablations.csv")
    for _, rows in table.groupby("setting"):
        assert sorted(rows["ablation"]) == sorted(f"himoe-{name}" for name in SOME)
    assert table["ccc_difference"].notna().all()
    assert len(io.read_json(ablated / "results/tables/ablations.json")["columns"]) <= 8
    assert "emotion single" in (ablated / "results/report.html").read_text()


def test_other_tables_are_as_without_them(ablated):
    models = {"train_mean", "ridge", "eegnet", "himoe", "nearest-shuffled_labels"}
    assert set(pd.read_csv(ablated / "results/tables/main.csv")["model"]) == models | set(CEILINGS)
    claims = pd.read_csv(ablated / "results/tables/claims.csv")
    verdicts = claims[claims["setting"] == "deap_twin/subject_kfold"].set_index("id")["verdict"]
    assert verdicts["C7"] == "inconclusive"  # one seed of networks that people share
    assert verdicts["C4"] == verdicts["C5"] == "not run"  # two of their ablations are in this run, not all
    assert verdicts["C6"] == "untestable on this data"  # one label per trial


def test_every_item_stands_a_protocol_without_conditions(ablated):
    """Tables of ablations and robustness, curves and routing do without its rows. A model that reads samples is parted by the
    same windows."""
    lost = pd.read_csv(ablated / "results/tables/ablations.csv").groupby("setting")["left_missing_rate_difference"]
    assert lost.apply(lambda values: values.notna().all()).to_dict() == {
        "deap_twin/subject_kfold": True, "deap_twin/window_random": False,
    }  # fmt: skip
    assert lost.count()["deap_twin/window_random"] == 0
    assert set(pd.read_csv(ablated / "results/figures/condition_curve/missing_rate.csv")["setting"]) == {
        "deap_twin/subject_kfold"
    }
    predictions = pd.read_parquet(ablated / "results/deap_twin/window_random/eegnet/seed-0/shard-0/predictions.parquet")
    assert predictions["trial"].str.contains("#").all()
    assert set(predictions["condition"]) == {"clean"}
