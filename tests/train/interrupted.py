"""Fits from files that are stopped, and what such a fit must end with."""

from __future__ import annotations

import pytest

from himoe import io
from himoe.config.sections import Execution, Splits, Training
from himoe.config.spec import FitSpec
from himoe.data.tokens import write_tokens
from himoe.provenance import hash_file
from himoe.splits import make
from himoe.train import results, shard
from tests.conftest import make_tokens

TRAINING = Training(epochs=3, patience=3, batch_size=4, crop_seconds=6, shift_seconds=1, learning_rate=3e-3, refit=True)
SPEC = FitSpec(
    dataset="made", protocol="subject_kfold", model="late_fusion", seed=0, shard=0, folds=(0, 1), training=TRAINING,
    options={"width": 16, "match_parameters": False},
)  # fmt: skip
ALONE = Execution(checkpoint_seconds=0, device="cpu")
TOGETHER = ALONE.model_copy(update={"stack": 2})


def write_made(root):
    """Six subjects and two folds."""
    tokens = make_tokens(6, 3)
    for subject in sorted({t.subject for t in tokens.trials}):
        of_subject = [i for i, t in enumerate(tokens.trials) if t.subject == subject]
        write_tokens(root / f"{subject}.npz", tokens.select(of_subject))
    frame = make.make_splits("subject_kfold", list(tokens.trials), Splits(n_folds=2))
    io.write_table(root / "splits.csv", frame)


def run(root, out, spec=SPEC, execution=ALONE):
    files = sorted(root.glob("*.npz"))
    out.mkdir(exist_ok=True)
    shard.fit_shard(spec, execution, files, root / "splits.csv", out / "weights", out / "record", "code")


def assert_same_fit(root, out, clean="clean"):
    assert hash_file(out / "weights") == hash_file(root / clean / "weights")
    a, b = (results.read_shard(p / "weights", p / "record") for p in (out, root / clean))
    assert a.keys() == b.keys()
    record, expected = (io.read_json(p / "record")["folds"] for p in (out, root / clean))
    for fold in record:
        assert record[fold]["history"] == expected[fold]["history"]
        assert record[fold]["best_epoch"] == expected[fold]["best_epoch"]
    assert not (out / ".resume").exists()


class Killed(BaseException):
    pass


def stop_after(monkeypatch, n_steps):
    """Die, without a word, at the n-th step of the optimizer; returns the counter."""
    from himoe.train.stack import Adam

    steps, real = [0], Adam.step

    def step(self, *args, **kwargs):
        steps[0] += 1
        if steps[0] == n_steps:
            raise Killed
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Adam, "step", step)
    return steps


def interrupted(made, out, monkeypatch):
    with monkeypatch.context() as patched:
        stop_after(patched, 6)
        with pytest.raises(Killed):
            run(made, out)
    return out / ".resume"
