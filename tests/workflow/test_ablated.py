"""Ablations beside a run: two config files, one more table, every other item as without them."""

from __future__ import annotations

import pandas as pd
import pytest
import yaml

from himoe import io
from tests.workflow.runs import checkout, snakemake, write_config

SOME = {"router_concat": {"router": "concat"}, "emotion_single": {"emotion_router": "single"}, "flat": {"hierarchy": "flat"}}


@pytest.fixture(scope="module")
def ablated(tmp_path_factory):
    folder = checkout(tmp_path_factory.mktemp("ablated"))
    (folder / "some.yaml").write_text(yaml.safe_dump({"ablations": SOME}))
    changes = {
        "datasets": ["deap_twin"],
        "models": ["ridge", "himoe"],
        "training": {"epochs": 2, "crop_seconds": 12},
        "execution": {"stack": 2},
    }
    done = snakemake(folder, "--configfile", write_config(folder, changes), "some.yaml")
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


def test_each_ablation_is_fitted_as_a_model_of_its_own(ablated):
    fits = ablated / "results/deap_twin/subject_kfold"
    names = ["himoe", *(f"himoe-{name}" for name in SOME)]
    assert sorted(p.name for p in fits.iterdir() if p.is_dir()) == sorted([*names, "ridge"])
    for name in names:
        told = io.read_json(fits / name / "seed-0/shard-0/run.json")
        config = {key: value for key, value, *_ in told["model_config"]}
        assert {k: config[k] for k in SOME.get(name.partition("-")[2], {})} == SOME.get(name.partition("-")[2], {})


def test_the_table_compares_each_with_hi_moe(ablated):
    table = pd.read_csv(ablated / "results/tables/ablations.csv")
    assert sorted(table["ablation"]) == sorted(f"himoe-{name}" for name in SOME)
    assert table["ccc_difference"].notna().all()
    told = io.read_json(ablated / "results/tables/ablations.json")
    assert len(told["columns"]) <= 8
    assert "emotion single" in (ablated / "results/report.html").read_text()


def test_other_tables_are_as_without_them(ablated):
    assert set(pd.read_csv(ablated / "results/tables/main.csv")["model"]) == {"ridge", "himoe"}
    claims = pd.read_csv(ablated / "results/tables/claims.csv")
    own = claims[claims["setting"] == "deap_twin"].set_index("id")["verdict"]
    assert own["C7"] in ("supported", "not supported")
    assert own["C4"] == own["C5"] == "not run"  # two of their ablations are in this run, not all
    assert own["C6"] == "not run"
