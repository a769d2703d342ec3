"""Files in results/ that somebody changed by hand, or that another run made: none is reported."""

from __future__ import annotations

import json
import os
import stat
import warnings
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from himoe import io
from himoe.config.run import Config
from himoe.config.sections import Execution
from himoe.data.recordings import read_trials, write_trials
from himoe.data.tokens import read_tokens, write_tokens
from himoe.evaluate.predict import Conditions, predict_files
from himoe.evaluate.score import read_scores
from himoe.report.evidence import read_runs
from himoe.splits.files import read_splits
from himoe.splits.make import make_splits
from himoe.train.results import read_shard
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
        read_scores(str(path)) if suffix == "csv" else io.read_table(path)
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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: pd.concat([f, f.iloc[:1].assign(part="train")]), "a trial stands twice in a fold"),
        (lambda f: f.assign(digest=f["digest"].where(f.index > 0)), "a value is absent, or a fold is no whole number"),
        (lambda f: f.assign(fold=f["fold"] + 0.5), "a value is absent, or a fold is no whole number"),
    ],
    ids=["twice", "no digest", "half a fold"],
)
def test_a_split_file_must_make_sense(tmp_path, change, message):
    frame = make_splits("subject_kfold", list(make_tokens().trials), CONFIG.splits)
    change(frame).to_csv(tmp_path / "splits.csv", index=False)
    with pytest.raises(HimoeError, match=rf"splits\.csv: not a split file \({message}\)"):
        read_splits(tmp_path / "splits.csv")


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


def changed(path, **arrays):
    with np.load(path) as stored:
        np.savez(path, **dict(stored) | arrays)


def renamed(path, name, value):
    with np.load(path) as stored:
        meta = json.loads(bytes(stored["meta"]))
    meta["layout"][name] = value
    changed(path, meta=np.frombuffer(json.dumps(meta).encode(), np.uint8))


def repacked(path, known, other, twice=False):
    """The header of x says something else; every checksum of the zip file is right."""
    with zipfile.ZipFile(path) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    head = members["x.npy"][10:128].replace(str(known).encode(), str(other).encode()) if known else members["x.npy"][10:128]
    members["x.npy"] = members["x.npy"][:10] + head[:117].ljust(117) + b"\n" + members["x.npy"][128:]
    with zipfile.ZipFile(path, "w") as packed, warnings.catch_warnings(action="ignore"):
        for name, content in [*members.items(), *([("x.npy", b"")] if twice else [])]:
            packed.writestr(name, content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: changed(p, x=np.zeros((96, 4), np.float32)), r"x has shape \(96, 4\), expected \(96, 5\)"),
        (lambda p: changed(p, y=np.zeros((95, 2), np.float32)), r"y has shape \(95, 2\), expected \(96, 2\)"),
        (lambda p: changed(p, offsets=np.array([0, 24, 12, 72, 96])), "its trials do not share out its 96 tokens"),
        (lambda p: changed(p, meta=np.frombuffer(b"[]", np.uint8)), "'list' object has no attribute 'get'"),
        (lambda p: changed(p, meta=np.frombuffer(b'{"format": 2}', np.uint8)), "'layout'"),
        (lambda p: changed(p, meta=np.frombuffer(b"[" * 100_000, np.uint8)), "recursion"),
        (lambda p: changed(p, x=np.array([{}], object)), r"x\.npy: .*allow_pickle"),
        (lambda p: changed(p, mask=np.ones((96, 2), np.int8)), "mask holds int8"),
        (lambda p: changed(p, baseline=np.zeros((3, 5), np.float32)), r"baseline holds float32 of shape \(3, 5\)"),
        (lambda p: renamed(p, "token_rate", True), "True tokens a second"),
        (lambda p: renamed(p, "targets", [1, 2]), "1 is no name"),
        (lambda p: repacked(p, (96, 5), (1 << 30, 1 << 10)), r"x\.npy: said to be float32 of shape .*, and 1920 bytes follow"),
        (lambda p: repacked(p, "}", ""), r"x\.npy: "),
        (lambda p: repacked(p, "", "", twice=True), "two arrays of one name"),
    ],
    ids=[
        "columns",
        "labels",
        "offsets",
        "list",
        "no layout",
        "nested",
        "pickle",
        "numbers",
        "level",
        "clock",
        "name",
        "4 TB",
        "no end",
        "twice",
    ],
)
def test_tokens_without_a_seal_must_make_sense(tmp_path, change, message):
    write_tokens(tmp_path / "s0.npz", make_tokens(1))
    (tmp_path / "s0.npz.sha256").unlink()
    change(tmp_path / "s0.npz")
    with pytest.raises(HimoeError, match=rf"s0\.npz: not a tokens file \(.*{message}"):
        read_tokens(tmp_path / "s0.npz")


def test_recordings_without_extents_are_refused(tmp_path):
    head = b'{"__metadata__": {"about": "{}"}, "a": {"dtype": "F32", "shape": [0], "data_offsets": []}}'
    (tmp_path / "s.safetensors").write_bytes(len(head).to_bytes(8, "little") + head)
    with pytest.raises(HimoeError, match=r"s\.safetensors: not a recordings file"):
        read_trials(tmp_path / "s.safetensors")


@pytest.mark.parametrize("change", [{"read": "all"}, {"read": [1]}, {"failed": 0}, {"chosen": []}, {"failed": None}])
def test_a_record_says_what_was_read_and_why_it_failed(run, change):
    folder, _, _ = run
    (folder / "run.json.sha256").unlink()
    record = json.loads((folder / "run.json").read_text())
    record["folds"]["0"] |= change
    (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(HimoeError, match=r"run\.json: no record of these weights .*fold 0: it does not say what was read"):
        read_shard(folder / "w.safetensors", folder / "run.json")


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"weights_sha256": 1}', '{"weights_sha256": "HASH"}', '{"weights_sha256": "HASH", "folds": {"x": {}}}'],
)
def test_a_record_without_a_seal_must_make_sense(run, text):
    folder, _, _ = run
    (folder / "run.json.sha256").unlink()
    known = json.loads((folder / "run.json").read_text())["weights_sha256"]
    (folder / "run.json").write_text(text.replace("HASH", known))
    with pytest.raises(HimoeError, match=r"(no record of these weights|bytes differ from the fit's record).*run again"):
        read_shard(folder / "w.safetensors", folder / "run.json")
