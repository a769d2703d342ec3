"""Feature sets through the workflow: tokens are prepared once and cut, the card lists what is left, a change cuts again."""

from __future__ import annotations

import re

import pytest
import yaml

from himoe import io
from himoe.data.tokens import read_tokens
from tests.workflow.runs import checkout, snakemake

pytestmark = pytest.mark.slow(40)
WHOLE, FEW = "ceap_digitised_twin", "ceap_digitised_twin-few"
RUN = {
    "datasets": [WHOLE], "feature_sets": {"few": {WHOLE: ["gsr", "cardiac"]}}, "models": ["train_mean", "ridge"],
    "twin": {"subjects": 6, "trials": 4, "seconds": 16, "snr": 1.0}, "splits": {"n_folds": 2}, "conditions": {"shift": [0, 1]},
}  # fmt: skip


def jobs(folder, run, *targets):
    """rule -> number of jobs that are left."""
    (folder / "run.yaml").write_text(yaml.safe_dump(run))
    done = snakemake(folder, "-n", *targets, "--configfile", "run.yaml")
    assert done.returncode == 0, done.stderr[-2000:]
    rules = re.findall(r"^rule (\w+):", done.stdout + done.stderr, re.M)
    return {rule: rules.count(rule) for rule in rules}


def test_tokens_are_prepared_once_and_cut(tmp_path):
    folder = checkout(tmp_path)
    scores, card = f"results/{FEW}/subject_kfold/scores.csv", f"results/{FEW}/card.json"
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN))
    done = snakemake(folder, scores, card, "--configfile", "run.yaml")
    assert done.returncode == 0, done.stderr[-4000:]
    whole, few = (read_tokens(folder / f"results/{d}/subjects/P3.npz") for d in (WHOLE, FEW))
    assert few.layout.modalities == ("gsr", "cardiac")
    assert (whole.y == few.y).all()
    described = io.read_json(folder / card)
    assert list(described["modalities"]) == ["cardiac", "gsr"]
    assert "digitised" in described["title"]
    assert not (folder / f"results/{FEW}/manifest.json").exists()  # what was taken in is the whole
    assert jobs(folder, RUN, scores, card) == {}
    wider = RUN | {"feature_sets": {"few": {WHOLE: ["gsr", "cardiac", "bvp"]}}}
    assert jobs(folder, wider, card) == {"cut_feature_set": 6, "describe_dataset": 1}
