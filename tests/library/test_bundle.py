"""A bundle holds what it takes to predict, and nothing of anybody."""

from __future__ import annotations

import json
import shutil

import jsonschema
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from himoe import io
from himoe.library.bundle import load, write
from himoe.library.card import _tested
from himoe.library.inference import predict
from himoe.library.recording import read_recording
from himoe.types import HimoeError
from tests.library.trained import DATA, FIT

pytestmark = pytest.mark.slow(60)


@pytest.fixture(scope="module")
def bundle(run, tmp_path_factory):
    """The fit as a folder of its own, scored."""
    folder = tmp_path_factory.mktemp("bundle")
    fit = shutil.copytree(
        run / "results", folder / "results", ignore=shutil.ignore_patterns("source", "unpacked")
    ) / FIT.relative_to("results")
    keys = {"dataset": "deap_twin", "protocol": "subject_kfold", "model": "himoe", "seed": 0, "severity": 0.0, "n": 6}
    scored = [("s01", "clean", "ccc", 0.2), ("s02", "clean", "ccc", 0.4)]
    other = [("s02", "shift", "ccc", 0.9), ("all", "clean", "pooled_ccc", 0.7)]
    columns = ("subject", "condition", "metric", "value")
    rows = [keys | {"target": "valence"} | dict(zip(columns, row, strict=True)) for row in (*scored, *other)]
    pd.DataFrame(rows).to_csv(folder / "results/scores.csv", index=False)
    write(load(fit), folder / "bundle")
    return folder / "bundle"


def test_it_predicts_as_the_fit_does(run, bundle):
    recording = read_recording(run / "recording.edf", run / "mapping.yaml")
    ours, theirs = (predict(load(path), recording).table for path in (bundle, run / FIT))
    pd.testing.assert_frame_equal(ours, theirs)
    assert load(bundle / "bundle.json").inputs == load(bundle).inputs


def test_there_is_no_row_of_training_data_in_it(run, bundle):
    names = {name.split("/")[1] for name in load_file(bundle / "weights.safetensors")}
    assert names == {"state", "scaler", "calibration"}
    assert sorted(p.name for p in bundle.iterdir()) == [
        "README.md", "bundle.json", "bundle.json.sha256", "inputs.schema.json", "weights.safetensors",
    ]  # fmt: skip
    [n_means] = load(bundle).folds[0].scaler.mean.shape
    assert n_means == 142  # scalers: a number per feature, 128 of EEG, 2 + 2 + 3 + 2 + 3 + 2 of the others
    record = io.read_json(bundle / "bundle.json")
    assert "s01" not in json.dumps(record)  # nobody's name
    assert set(record["folds"]["0"]["history"]) == set()


def test_the_network_is_a_module_to_use(bundle):
    network = load(bundle).network(0)
    assert not network.training
    state = {name: value.numpy() for name, value in network.state_dict().items()}
    for name, value in load(bundle).folds[0].state.items():
        np.testing.assert_array_equal(state[name], value)


def test_the_card_says_whose_data_how_good_and_what_not(bundle):
    card = (bundle / "README.md").read_text()
    assert card.startswith("# Hi-MoE, trained on DEAP, simulated in its format (a twin)\n\n**SYNTHETIC**")
    assert "| valence | ccc | 0.300 | 0.141 | 2 |" in card  # of 0.2 and 0.4: SD 0.2 / sqrt(2)
    assert "0.700" not in card
    assert "0.900" not in card
    assert "| gsr | GSR | 128 | S | 3, `gsr` | 3 |" in card
    for word in ("Koelstra", "licence", "2 networks", "clips that others in the training data saw too", "medical"):
        assert word in card


def test_what_scores_do_not_say_depends_on_what_was_kept_apart():
    assert "same people" in _tested("trial_kfold")
    assert "count for nothing" in _tested("window_random")
    assert "same people" not in _tested("loso")
    assert "clips that others" not in _tested("subject_stimulus")


def test_the_schema_takes_what_the_model_reads(bundle):
    schema = io.read_json(bundle / "inputs.schema.json")
    jsonschema.validate({"gsr": {"GSR": [1e-6, None]}}, schema)
    for wrong in ({}, {"gsr": {"EDA": [1.0]}}, {"pupil": {"left": [1.0]}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
    assert schema["properties"]["eeg"]["x-unit"] == "V"
    assert (schema["x-token-rate"], schema["x-targets"]) == (2.0, ["valence", "arousal"])


def changed(bundle, folder, **facts):
    """A copy of a bundle with other facts in its record, unsealed."""
    copy = shutil.copytree(bundle, folder / "_".join(facts))
    (copy / "bundle.json.sha256").unlink()
    io.write_json(copy / "bundle.json", io.read_json(copy / "bundle.json") | facts)
    return copy


def test_what_is_no_bundle_is_refused(bundle, tmp_path):
    other = shutil.copytree(bundle, tmp_path / "other")
    with (other / "weights.safetensors").open("r+b") as stream:
        stream.seek(-4, 2)
        stream.write(b"\0\1\2\3")
    wrong = {
        "neither a bundle nor a fit": tmp_path,
        "bytes differ from the fit's record": other,
        "a bundle of format 9, not 1": changed(bundle, tmp_path, format=9),
        "no bundle .*export it again": changed(bundle, tmp_path, inputs={}),
    }
    for message, path in wrong.items():
        with pytest.raises(HimoeError, match=message):
            load(path)
    with pytest.raises(HimoeError, match="not an empty folder"):
        write(load(bundle), tmp_path)


def test_a_fit_that_tells_nothing_of_a_recording_is_refused(run, tmp_path):
    results = shutil.copytree(run / "results", tmp_path / "results", ignore=shutil.ignore_patterns("source", "unpacked"))
    fit = tmp_path / FIT / "shard-0"
    record = io.read_json(fit / "run.json")
    (fit / "run.json.sha256").unlink()
    wrong = {
        "is a control": {"view": record["view"] | {"control": "shuffled_labels"}},
        "reads who or which clip it is": {"model": "stimulus_mean"},
        "is simulated as features": {"dataset": "planted-base"},
        "no record of a fit of this version": {"training": {"epochs": "many"}},
    }
    for message, facts in wrong.items():
        io.write_json(fit / "run.json", record | facts)
        with pytest.raises(HimoeError, match=message):
            load(fit)
    io.write_json(fit / "run.json", record)
    tokens = tmp_path / DATA / "subjects/s03.npz"
    tokens.write_bytes((whole := tokens.read_bytes()) + b"0")
    with pytest.raises(HimoeError, match=r"s03\.npz is not what it was fitted on"):
        load(fit)
    tokens.write_bytes(whole)
    (tmp_path / DATA / "card.json").unlink()
    with pytest.raises(
        HimoeError, match=r"absent, or does not say how tokens are made; `snakemake results/deap_twin/card\.json`"
    ):
        load(results / "deap_twin/subject_kfold/himoe/seed-0")


def test_a_fit_in_several_shards_is_one_model(run, tmp_path):
    """On a cluster each fold is a job of its own: the folder of the seed holds them all."""
    results = shutil.copytree(run / "results", tmp_path / "results", ignore=shutil.ignore_patterns("source", "unpacked"))
    seed = results / "deap_twin/subject_kfold/ridge/seed-0"
    whole, record = load(seed), io.read_json(seed / "shard-0/run.json")
    for number in ("0", "1"):
        if number != "0":  # itself
            shutil.copytree(seed / "shard-0", seed / f"shard-{number}")
        (seed / f"shard-{number}/run.json.sha256").unlink(missing_ok=True)
        io.write_json(seed / f"shard-{number}/run.json", record | {"folds": {number: record["folds"][number]}})
    assert sorted(load(seed / "shard-1").folds) == [1]
    together = load(seed)
    assert sorted(together.folds) == sorted(whole.folds) == [0, 1]
    np.testing.assert_array_equal(together.folds[1].scaler.mean, whole.folds[1].scaler.mean)
