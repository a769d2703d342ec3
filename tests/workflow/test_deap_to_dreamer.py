"""From the files of two data sets to what fits of one say of the other's people, on the features that both have."""

from __future__ import annotations

import pytest
import yaml

from himoe import io
from himoe.data.tokens import read_tokens
from himoe.datasets.dreamer import INFO
from tests.workflow.runs import checkout, snakemake

pytestmark = pytest.mark.slow(60)
HERE, THERE = "deap_twin-common", "dreamer_twin-common"
RUN = {
    "datasets": ["deap_twin", "dreamer_twin"], "models": ["train_mean", "ridge"], "conditions": {}, "splits": {"n_folds": 2},
    "variants": {"common": {"deap_twin": {"common_with": "dreamer_twin"}, "dreamer_twin": {"common_with": "deap_twin"}}},
    "transfer": {HERE: [THERE]}, "models_on": {"deap_twin": ["ridge"], "dreamer_twin": ["ridge"], HERE: ["ridge"]},
    "twin": {"subjects": 6, "trials": 2, "seconds": 16, "snr": 2.0}, "tables": ["transfer"], "figures": [],
}  # fmt: skip


def test_deap_to_dreamer(tmp_path):
    folder = checkout(tmp_path)
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN))
    card = f"results/{HERE}/card.json"
    wanted = f"results/{HERE}/subject_kfold/ridge/seed-0/shard-0/across/{THERE}.parquet"
    done = snakemake(folder, wanted, card, "--configfile", "run.yaml")
    assert done.returncode == 0, done.stderr[-4000:]
    assert io.read_json(folder / card)["modalities"]["eeg"]["n_chans"] == 14
    one, two = (read_tokens(folder / f"results/{d}/subjects/s01.npz") for d in (HERE, THERE))
    bands = ("theta", "alpha", "beta", "gamma")  # delta is DREAMER's alone
    channels = INFO.modalities[0].channels
    assert {*one.layout.features[0]} == {f"{c}/{b}" for c in channels for b in bands}
    assert {*two.layout.features[0]} == {*one.layout.features[0]}
    assert two.layout.features != one.layout.features  # the montages have other orders
    said = io.read_table(folder / wanted)
    assert len(said) == 2 * 6 * 2 * 2  # folds, people, trials, targets
    assert set(said["subject"]) == {f"s0{i}" for i in range(1, 7)}
    assert said["y_true"].between(1, 5).all()
    assert said["y_reference"].between(2, 4).all()  # near 5 on 1 to 9, so near 3 on 1 to 5
    left = snakemake(folder, "-n", wanted, "--configfile", "run.yaml")
    assert "Nothing to be done" in left.stdout + left.stderr
    planned = snakemake(folder, "-n", "--configfile", "run.yaml")
    assert "write_table" in planned.stdout + planned.stderr
