"""Files in results/ that somebody changed by hand, or that another run made: none is reported."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from himoe import io
from himoe.config.run import Config
from himoe.config.sections import Execution
from himoe.data.recordings import read_trials, write_trials
from himoe.data.tokens import write_tokens
from himoe.evaluate.predict import Conditions, predict_files
from himoe.evaluate.score import gather
from himoe.report.evidence import read_runs
from himoe.splits.files import read_splits
from himoe.splits.make import make_splits
from himoe.train.shard import fit_shard
from himoe.types import HimoeError, Signal, Trial
from tests.conftest import make_tokens

CONFIG = Config(datasets=["deap_twin"], models=["ridge"], twin={"subjects": 6, "trials": 4}, splits={"n_folds": 2})


@pytest.fixture
def run(tmp_path):
    """A fit of ridge: (its files by name, spec, a call that predicts)."""
    tokens, parts = make_tokens(), []
    for subject in sorted({t.subject for t in tokens.trials}):
        parts.append(tmp_path / f"{subject}.npz")
        write_tokens(parts[-1], tokens.select([i for i, t in enumerate(tokens.trials) if t.subject == subject]))
    io.write_table(tmp_path / "splits.csv", make_splits("subject_kfold", list(tokens.trials), CONFIG.splits), sealed=True)
    spec, files = (
        CONFIG.fit_spec("deap_twin", "subject_kfold", "ridge", 0, 0),
        (tmp_path / "w.safetensors", tmp_path / "run.json"),
    )
    fit_shard(spec, Execution(), parts, tmp_path / "splits.csv", *files)

    def predict(spec=spec):
        return predict_files(spec, Execution(), parts, tmp_path / "splits.csv", *files, Conditions({}, 7))[0]

    return tmp_path, spec, predict


def other_labels(path):
    """As somebody would: the arrays as they are, but for the labels."""
    with np.load(path) as stored:
        arrays = dict(stored)
    np.savez(path, **arrays | {"y": arrays["y"] + 1})


def nothing_read(path):
    """The list that the guard against leakage compares."""
    record = json.loads(path.read_text())
    for fold in record["folds"].values():
        fold["read"] = []
    path.write_text(json.dumps(record))


def flipped(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


CHANGES = {
    "labels": ("s0.npz", other_labels), "read rows": ("run.json", nothing_read), "weights": ("w.safetensors", flipped),
    "folds": ("splits.csv", lambda path: path.write_text(path.read_text().replace("valid", "train", 1))),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_nothing_is_predicted_from_what_was_changed_by_hand(run, what):
    folder, _, predict = run
    assert np.isfinite(predict()["y_pred"]).all()
    name, change = CHANGES[what]
    change(folder / name)
    with pytest.raises(
        HimoeError, match=rf"{name}: (changed since it was written|bytes differ from the fit's record).*run again"
    ):
        predict()


def test_another_runs_fit_is_named_by_its_setting(run):
    folder, _, predict = run
    other = Config(
        **CONFIG.model_dump(exclude_unset=True) | {"training": {"refit": True}, "model_options": {"ridge": {"reach": 1.0}}}
    )
    asked = other.fit_spec("deap_twin", "subject_kfold", "ridge", 0, 0)
    unlike = r"options\.reach None, now 1\.0; training\.refit False, now True"
    message = rf"run\.json: fitted with other settings than this run's \({unlike}\)"
    with pytest.raises(HimoeError, match=message):
        predict(asked)
    assert len(read_runs([str(folder / "run.json")], CONFIG)) == 1
    with pytest.raises(HimoeError, match=message):
        read_runs([str(folder / "run.json")], other)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_scores_and_predictions_changed_by_hand_are_not_read(tmp_path, suffix):
    path, frame = tmp_path / f"t.{suffix}", pd.DataFrame({"subject": ["s1"], "value": [0.25]})
    io.write_table(path, frame, sealed=True)
    pd.testing.assert_frame_equal(io.read_table(path), frame)
    other = frame.assign(value=0.75)
    other.to_csv(path, index=False) if suffix == "csv" else other.to_parquet(path, index=False)
    with pytest.raises(HimoeError, match=rf"t\.{suffix}: changed since it was written \(t\.{suffix}\.sha256 says so\)"):
        gather([str(path)]) if suffix == "csv" else io.read_table(path)
    io.write_table(path, other, sealed=True)  # made again it is what was written
    assert io.read_table(path)["value"].tolist() == [0.75]


def test_a_seal_is_what_sha256sum_reads(tmp_path):
    io.write_json(tmp_path / "a.json", {"a": 1}, sealed=True)
    # printf '{\n "a": 1\n}\n' | sha256sum
    known = "b606a40d68ae742be63266c691e611efd8bfa4375628a5d31b8f5962a71afa47"
    assert (tmp_path / "a.json.sha256").read_text() == f"{known}  a.json\n"
    assert io.read_json(tmp_path / "a.json") == {"a": 1}


def test_a_clock_changed_in_the_header_of_cleaned_recordings_is_noticed(tmp_path):
    path, data = tmp_path / "s.safetensors", np.zeros((1, 8))
    write_trials(path, [Trial("s", "1", "t", "v", 8.0, {"gsr": Signal(data, 1.0)}, np.ones(2))])
    assert len(read_trials(path)) == 1
    content = path.read_bytes()
    for known, other in ((b"[1.0, 0.0]", b"[2.0, 0.0]"), (b'\\"v\\"', b'\\"w\\"')):
        assert content.count(known) == 1
        path.write_bytes(content.replace(known, other))
        with pytest.raises(HimoeError, match=r"s\.safetensors: content differs from what was written"):
            read_trials(path)


def test_a_split_file_is_read_as_it_was_written(tmp_path):
    tokens = replace(make_tokens(), baseline=None)
    path = tmp_path / "splits.csv"
    io.write_table(path, make_splits("subject_kfold", list(tokens.trials), CONFIG.splits), sealed=True)
    assert len(read_splits(path)) == 2
    path.write_text(path.read_text().replace("test", "train", 1))
    with pytest.raises(HimoeError, match="changed since it was written"):
        read_splits(path)


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o027, 0o640)])
def test_who_may_read_is_the_users_choice(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        io.write_json(tmp_path / "a.json", {}, sealed=True)
        assert os.umask(mask) == mask  # asking for it has not changed it
    finally:
        os.umask(before)
    for name in ("a.json", "a.json.sha256"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode
