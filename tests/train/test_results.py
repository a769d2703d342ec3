"""What a fit leaves behind is read back as it was written, and refused where it is not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from himoe.train import results
from himoe.types import HimoeError
from tests.conftest import make_tokens
from tests.train.fits import SETTINGS, fit, folds


def written(tmp_path, tokens):
    split = folds(tokens, tmp=tmp_path)[0]
    fitted = fit("late_fusion", tokens, split, {"width": 16}, settings=SETTINGS.model_copy(update={"epochs": 1}))
    results.write_shard(tmp_path / "w.safetensors", tmp_path / "run.json", [fitted], {"model": "late_fusion"})
    return fitted


def test_shards_round_trip(tmp_path):
    fitted = written(tmp_path, make_tokens())
    scaler, state, read, *_, calibration = results.read_shard(tmp_path / "w.safetensors", tmp_path / "run.json")[fitted.fold]
    assert {name: a.tolist() for name, a in calibration.items()} == {n: a.tolist() for n, a in fitted.calibration.items()}
    assert set(calibration) == {"scale", "offset"}
    assert read == fitted.read
    np.testing.assert_array_equal(scaler.mean, fitted.scaler.mean)
    assert state.keys() == fitted.state.keys()
    assert all(np.array_equal(state[n], fitted.state[n]) for n in state)


def test_a_flipped_bit_is_refused(tmp_path):
    written(tmp_path, make_tokens())
    raw = bytearray((tmp_path / "w.safetensors").read_bytes())
    raw[-5] ^= 1
    (tmp_path / "w.safetensors").write_bytes(raw)
    with pytest.raises(HimoeError, match="bytes differ from the fit's record"):
        results.read_shard(tmp_path / "w.safetensors", tmp_path / "run.json")


def test_run_records_are_json(tmp_path):
    written(tmp_path, make_tokens())
    record = json.loads((tmp_path / "run.json").read_text())
    assert set(record["folds"]["0"]) == {"best_epoch", "seconds", "n_parameters", "n_macs", "history", "read", "failed"} | {
        "judged", "chosen", "tried", "calibration", "network_share", "trial_ms",
    }  # fmt: skip
