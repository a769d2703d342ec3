"""A prediction reads every file once, for all folds and conditions."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from himoe.config.sections import Execution
from himoe.config.spec import View
from himoe.data import reader
from himoe.data.recordings import read_trials, write_trials
from himoe.data.tokens import read_tokens, write_tokens
from himoe.evaluate import predict
from himoe.evaluate.conditions import Conditions
from himoe.train.shard import fit_shard
from himoe.types import Signal, Trial
from tests.conftest import make_tokens
from tests.train.fits import folds, spec_of

HERE = Execution(device="cpu")


@pytest.fixture
def reads(monkeypatch):
    """How often each file was read."""
    counted = Counter()

    def counting(read):
        return lambda path: counted.update([path]) or read(path)

    for module in (reader, predict):
        monkeypatch.setattr(module, "read_tokens", counting(read_tokens))
    monkeypatch.setattr(reader, "read_trials", counting(read_trials))
    return counted


def written(folder, tokens):
    files = []
    for subject in sorted({t.subject for t in tokens.trials}):
        files.append(folder / f"{subject}.npz")
        write_tokens(files[-1], tokens.select([i for i, t in enumerate(tokens.trials) if t.subject == subject]))
    return files


@pytest.mark.parametrize("protocol", ["loso", "trial_kfold"])
def test_every_file_is_read_once_for_all_folds_and_conditions(protocol, reads, tokens, tmp_path):
    """By persons, each is tested in one fold of six; by trials, every fold of three tests all of them."""
    files, splits = written(tmp_path, tokens), folds(tokens, protocol, tmp=tmp_path)
    spec = spec_of("ridge", protocol=protocol).model_copy(update={"folds": tuple(range(len(splits)))})
    fit_shard(spec, HERE, files, tmp_path / "splits.csv", tmp_path / "weights", tmp_path / "run.json")
    reads.clear()
    conditions = Conditions({"missing_rate": [0, 0.3, 0.7], "shift": [0, 1]}, 7)
    said, _ = predict.predict_files(
        spec, HERE, files, tmp_path / "splits.csv", tmp_path / "weights", tmp_path / "run.json", conditions
    )  # fmt: skip
    assert set(said["fold"]) == {split.fold for split in splits}
    assert set(said["condition"]) == {"clean", "missing_rate", "shift"}
    assert reads == dict.fromkeys(files, 1)


def test_samples_and_features_come_of_one_reading(reads, tmp_path, monkeypatch):
    """A model of samples meets conditions that are drawn from features: two views of each file."""
    tokens = make_tokens(2, 2, 8, features={"eeg": ("A/1", "B/1"), "b": ("b0", "b1")})
    files, recordings = written(tmp_path, tokens), [tmp_path / f"s{i}.safetensors" for i in range(2)]
    for i, path in enumerate(recordings):
        signals = {"eeg": Signal(np.zeros((2, 40)), 8.0)}
        write_trials(path, [Trial(f"s{i}", "1", t, t, 5.0, signals, np.ones(2)) for t in ("t0", "t1")])
    (tmp_path / "splits.csv").write_text(
        "fold,part,subject,trial,stimulus,digest\n0,train,s0,t0,t0,a\n0,valid,s0,t1,t1,b\n0,test,s1,t0,t0,c\n"
    )
    seen = {}
    monkeypatch.setattr(predict, "read_shard", lambda weights, record: {})
    monkeypatch.setattr(predict.io, "read_json", lambda path: {})
    monkeypatch.setattr(predict, "predict_shard", lambda *given: seen.update(samples=given[4], features=given[6]))
    spec = spec_of("eegnet", view=View(modality="eeg", samples=4)).model_copy(update={"folds": (0,)})
    predict.predict_files(
        spec, HERE, files, tmp_path / "splits.csv", tmp_path / "weights", tmp_path / "run.json", Conditions({}, 7), recordings
    )  # fmt: skip
    for _ in range(2):
        assert seen["samples"]({"s0", "s1"}).layout.n_features == 2 * 4 + 2
        assert seen["features"]({"s0", "s1"}).layout.n_features == 4
    assert reads == dict.fromkeys([*files, *recordings], 1)
