"""Variants through the workflow: prepared otherwise or in part from the same recordings, a change prepares them alone again."""

from __future__ import annotations

import re

import numpy as np
import pytest
import yaml

from himoe import io
from himoe.data.tokens import read_tokens
from tests.workflow.runs import checkout, snakemake

pytestmark = pytest.mark.slow(40)
WHOLE, FEW, LATE = "ceap_digitised_twin", "ceap_digitised_twin-few", "ceap_digitised_twin-late"
VARIANTS = {
    "few": {WHOLE: {"modalities": ["gsr", "cardiac"], "features": {"normalisation": "none"}}},
    "late": {WHOLE: {"annotator_lag": 2}},
}
RUN = {
    "datasets": [WHOLE], "variants": VARIANTS, "models": ["train_mean", "ridge"],
    "twin": {"subjects": 6, "trials": 4, "seconds": 16, "snr": 1.0}, "splits": {"n_folds": 2}, "conditions": {"shift": [0, 1]},
}  # fmt: skip


def jobs(folder, run, *targets):
    """rule -> number of jobs that are left."""
    (folder / "run.yaml").write_text(yaml.safe_dump(run))
    done = snakemake(folder, "-n", *targets, "--configfile", "run.yaml")
    assert done.returncode == 0, done.stderr[-2000:]
    rules = re.findall(r"^rule (\w+):", done.stdout + done.stderr, re.M)
    return {rule: rules.count(rule) for rule in rules}


def test_variants_are_prepared_from_the_same_recordings(tmp_path):
    folder = checkout(tmp_path)
    wanted = [f"results/{FEW}/subject_kfold/audit.json", f"results/{LATE}/card.json", f"results/{FEW}/card.json"]
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN))
    done = snakemake(folder, *wanted, f"results/{WHOLE}/card.json", "--configfile", "run.yaml")
    assert done.returncode == 0, done.stderr[-4000:]
    whole, few, late = (read_tokens(folder / f"results/{d}/subjects/P3.npz") for d in (WHOLE, FEW, LATE))
    assert few.layout.modalities == ("gsr", "cardiac")
    assert np.array_equal(whole.y, few.y, equal_nan=True)
    gsr, raw = (t.x[t.mask[:, 0]][:, 0] for t in (whole, few))
    assert abs(gsr.mean()) < 1e-5  # z-scored over the session; the variant is as it was measured
    assert np.corrcoef(gsr, raw)[0, 1] > 0.999
    assert abs(raw.mean()) > 0.1
    assert np.array_equal(late.x, whole.x)
    steps = round(2 * whole.layout.token_rate)
    first, last = whole.offsets[0], whole.offsets[1]
    np.testing.assert_allclose(late.y[first : last - steps], whole.y[first + steps : last], atol=1e-5)
    described = io.read_json(folder / wanted[-1])
    assert list(described["modalities"]) == ["cardiac", "gsr"]
    assert {m["normalise"] for m in described["modalities"].values()} == {"none"}
    assert not (folder / f"results/{FEW}/manifest.json").exists()  # what was taken in is the whole
    assert jobs(folder, RUN, *wanted) == {}
    wider = {"few": {WHOLE: VARIANTS["few"][WHOLE] | {"modalities": ["gsr", "cardiac", "bvp"]}}}
    assert jobs(folder, RUN | {"variants": VARIANTS | wider}, *wanted[1:]) == {"prepare_subject": 6, "describe_dataset": 1}
