"""A model of ratings in time, from channels to a row per token."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from himoe.library.bundle import Bundle
from himoe.library.formats import Channel, Mark
from himoe.library.inference import predict
from himoe.library.inputs import About, Input, Inputs
from himoe.library.recording import Recording
from tests.conftest import TWO, make_tokens
from tests.train.fits import SHORT, fit, folds, spec_of, stored

OPTIONS = {"width": 8, "n_heads": 2, "max_lag": 1.0}
QUALITY = {"min_measured": 0.5, "clipped_share": 0.05}


def test_of_a_recording_it_says_something_at_every_token(tmp_path):
    tokens = make_tokens(6, 2, 24, per_token=True)
    split = folds(tokens, tmp=tmp_path)[0]
    spec = spec_of("himoe", OPTIONS, settings=SHORT)
    kept = stored(fit("himoe", tokens, split, OPTIONS, settings=SHORT))
    modalities = tuple(
        Input(name=m, channels=c, sfreq=8.0, unit="a.u.", recipe="values", normalise="session", features=c)
        for m, c in TWO.items()
    )
    inputs = Inputs(
        modalities=modalities, targets=("valence", "arousal"), target_range=(1.0, 9.0), per_token=True, token_rate=2.0,
        token_window=2.0, options={"quality": QUALITY, "normalise": {"by": "session", "trials": 0}},
    )  # fmt: skip
    bundle = Bundle(Path("here"), spec, kept, inputs, About(title="d", citation="c", licence="l"))
    rng = np.random.default_rng(0)
    rows = {name: rng.standard_normal(160) for names in TWO.values() for name in names}
    rows["b0"][:80], rows["b1"][:80] = np.nan, np.nan  # nothing of b in the first trial
    channels = tuple(Channel(name, row, 8.0, "") for name, row in rows.items())
    recording = Recording("me", channels, (Mark("trial #1", 0.0, 10.0), Mark("trial #2", 10.0, 8.0)))
    table = predict(bundle, recording).table
    assert table["trial"].tolist() == ["trial _1"] * 17 + ["trial _2"] * 13  # (10 - 2) * 2 + 1 windows of 2 s, and 13
    np.testing.assert_allclose(table["time"], np.concatenate([1 + np.arange(17) / 2, 1 + np.arange(13) / 2]))
    first, second = table[:17], table[17:]
    assert (first["present_b"] == 0).all()
    assert (second["present_b"] == 1).all()
    assert (first["share_b"] == 0).all()
    assert (second["share_b"] > 0).all()
    np.testing.assert_allclose(table[["share_a", "share_b", "share_null"]].sum(1), 1, atol=1e-5)
    assert first["lag_a"].nunique() == second["lag_a"].nunique() == 1  # of a trial
    assert first["valence"].nunique() == 17
