"""A trained model on a file of one's own says what the workflow says of the same person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from himoe.library.bundle import load
from himoe.library.doubts import far_out
from himoe.library.formats import Channel
from himoe.library.inference import _table, predict
from himoe.library.recording import ChannelMapping, Mapping, Recording, read_recording
from himoe.train.scaling import Scaler
from himoe.types import HimoeError
from tests.conftest import make_tokens
from tests.library.trained import FIT, RIDGE, clean_predictions, electrodes

pytestmark = pytest.mark.slow(60)


@pytest.fixture(scope="module")
def recording(run):
    return read_recording(run / "recording.edf", run / "mapping.yaml")


@pytest.fixture(scope="module")
def model(run):
    return load(run / FIT)


@pytest.fixture(scope="module")
def fold(run):
    """The one that tests the person."""
    [found] = clean_predictions(run)["fold"].unique()
    return int(found)


def by_trial(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_index(table["trial"].str.removeprefix("trial ")).drop(columns="trial")


def without(recording: Recording, *names: str) -> Recording:
    return replace(recording, channels=tuple(c for c in recording.channels if c.name not in names))


@pytest.mark.parametrize("fit", [FIT, RIDGE])
def test_of_an_edf_it_says_what_the_workflow_says(run, recording, fold, fit):
    rows = clean_predictions(run, fit)
    expected = rows.pivot(index="trial", columns="target", values="y_pred")
    said = by_trial(predict(load(run / fit), recording, fold).table)
    assert len(expected) == 6
    assert expected.std().min() > 0.01
    np.testing.assert_allclose(
        said.loc[expected.index, ["valence", "arousal"]], expected[["valence", "arousal"]], atol=1e-5, rtol=0
    )


def test_routing_and_lags_are_the_workflows_too(run, recording, model, fold):
    routing, said = clean_predictions(run, name="routing"), by_trial(predict(model, recording, fold).table)
    for quantity, column in (("lag", "lag_"), ("modality_share", "share_")):
        rows = routing[routing["quantity"] == quantity].pivot(index="trial", columns="part", values="value")
        names = [f"{column}{m}" for m in (*electrodes(), "null")][: rows.shape[1]]
        np.testing.assert_allclose(said.loc[rows.index, names], rows[[str(i) for i in range(len(names))]], atol=1e-4)


def test_without_a_fold_it_is_the_mean_of_all(model, recording):
    somebody = without(recording, "GSR")  # the person as recorded would be known to one of the networks
    each = [predict(model, somebody, fold).table["valence"] for fold in model.folds]
    together = predict(model, somebody)
    assert together.folds == tuple(model.folds) == (0, 1)
    np.testing.assert_allclose(together.table["valence"], (each[0] + each[1]) / 2)
    np.testing.assert_allclose(together.table["valence_sd"], abs(each[0] - each[1]) / np.sqrt(2))  # of two numbers


def test_a_network_that_has_learnt_from_the_recording_is_left_out(model, recording, fold):
    said = predict(model, recording)
    assert said.folds == (fold,)
    assert said.warnings == ("1 of 2 networks have learnt from it, and are left out",)
    with pytest.raises(HimoeError, match="has learnt from this very recording"):
        predict(model, recording, 1 - fold)


def test_only_the_very_same_session_is_known_again(model, recording):
    """As card and guide say: z-scores over five trials are other numbers than over six, and so are all hashes."""
    shorter = replace(recording, marks=recording.marks[:5])
    later = replace(recording, marks=tuple(replace(m, onset=m.onset + 1 / 128) for m in recording.marks))
    for copy in (shorter, later, without(recording, "GSR")):
        said = predict(model, copy)
        assert said.folds == (0, 1)
        assert not [line for line in said.warnings if "learnt" in line]


def test_a_trial_without_a_window_is_left_out_and_told(model, recording, fold):
    short = replace(recording, marks=(*recording.marks, replace(recording.marks[-1], name="trial bell", seconds=0.5)))
    said = predict(model, short, fold)
    assert said.warnings == ("left out, for they are shorter than a window of 2 s: 1 trial(s) (trial bell)",)
    pd.testing.assert_frame_equal(said.table, predict(model, recording, fold).table)


def test_a_modality_that_was_not_recorded_is_done_without(model, recording, fold):
    said = predict(model, without(recording, "GSR"), fold)
    assert (said.table["present_gsr"] == 0).all()
    assert (said.table["share_gsr"] == 0).all()
    assert (said.table["present_eeg"] == 1).all()
    assert np.isfinite(said.table[["valence", "arousal"]]).all(axis=None)
    assert said.warnings == ("gsr was not recorded: predicted without it",)


def test_channels_that_were_not_recorded_are_told(model, recording, fold):
    said = predict(model, without(recording, "Fp1", "Oz"), fold)
    assert said.warnings == ("eeg: 2 of 32 channels were not recorded (Fp1, Oz)",)
    assert (said.table["present_eeg"] == 1).all()  # 30 of 32 measured


def told(recording: Recording, **channels: ChannelMapping) -> Recording:
    return replace(recording, mapping=recording.mapping.model_copy(update={"channels": channels}))


def test_what_the_model_cannot_read_is_refused_in_one_line(model, recording):
    degrees = replace(recording, channels=tuple(replace(c, unit="degC") if c.name == "GSR" else c for c in recording.channels))
    none = replace(recording, channels=tuple(replace(c, unit="") if c.name == "GSR" else c for c in recording.channels))
    stranger = Recording("other", (Channel("ACC", np.zeros(9000), 128.0, "1"),))
    wrong = {
        "GSR: recorded in degC, the model reads S": degrees,
        "GSR: no unit; say in a mapping": none,
        "no channel that the model reads": stranger,
        "the model reads no 'eegg'; did you mean 'eeg'": told(recording, Fp1=ChannelMapping(modality="eegg")),
        "has no channel 'Fp1'; say in the mapping": told(recording, Fp1=ChannelMapping(modality="emg")),
        "are both gsr GSR": told(recording, Fp1=ChannelMapping(modality="gsr")),
    }
    for message, given in wrong.items():
        with pytest.raises(HimoeError, match=message) as refused:
            predict(model, given)
        assert "\n" not in str(refused.value)
    with pytest.raises(HimoeError, match="there is no fold 7; folds: 0, 1"):
        predict(model, recording, 7)


def test_a_recording_in_the_wrong_unit_by_a_thousand_is_told(model, recording, fold):
    volts = replace(recording, channels=tuple(replace(c, unit="mS") if c.name == "GSR" else c for c in recording.channels))
    said = predict(model, volts, fold)
    assert (said.table["present_gsr"] == 0).all()
    assert any(line.startswith("gsr: present in 0 of") and "implausible" in line for line in said.warnings)


def test_without_rest_and_with_one_trial_it_warns(model, recording, fold):
    alone = replace(recording, mapping=Mapping(), marks=recording.marks[:1])
    warned = predict(model, alone, fold).warnings
    assert "gsr: no rest before the trials; it was trained with 3 s (`baseline` in the mapping)" in warned
    assert any(line.startswith("features are normalised over 1 trial(s) of this person, in training over 6") for line in warned)


def test_what_lies_far_from_the_training_rows_is_told():
    tokens = make_tokens(1, 1, 10)
    tokens = replace(tokens, x=np.zeros_like(tokens.x), mask=np.ones_like(tokens.mask))
    tokens.x[:, 4] = 11.0  # b1: 5.5 SD of 2 away, in half of the values of b
    same = Scaler(np.zeros(5), np.full(5, 2.0), np.zeros(2), np.ones(2), np.zeros(5))
    assert list(far_out(tokens, [same])) == ["b: 50% of its values are further than 5 SD from what was trained on, b1 most"]
    tokens.x[:, 4] = 9.0  # 4.5 SD
    assert not list(far_out(tokens, [same]))


def test_a_model_of_ratings_in_time_has_a_row_per_token():
    tokens = make_tokens(1, 2, 3, per_token=True)
    first, second = (
        {"valence": np.arange(6.0) + add, "arousal": np.zeros(6), "lag_a": np.repeat([1.0, 2.0], 3)} for add in (0.0, 2.0)
    )
    table = _table(tokens, [first, second])
    assert table["trial"].tolist() == ["t0"] * 3 + ["t1"] * 3
    np.testing.assert_allclose(table["time"], [1, 1.5, 2] * 2)
    np.testing.assert_allclose(table["valence"], np.arange(6.0) + 1)
    np.testing.assert_allclose(table["valence_sd"], np.sqrt(2))
    np.testing.assert_allclose(table["present_a"], tokens.mask[:, 0])
    assert list(table)[:6] == ["trial", "time", "valence", "arousal", "valence_sd", "arousal_sd"]
