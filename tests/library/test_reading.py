"""Files as devices write them: odd headers, equal names, rounded clocks, markers without a length, several units."""

from __future__ import annotations

from dataclasses import replace

import edfio
import numpy as np
import pandas as pd
import pytest

from himoe.library.formats import Channel, Mark
from himoe.library.inputs import Input
from himoe.library.matching import long_enough, match, to_trials
from himoe.library.recording import ChannelMapping, Mapping, Recording, read_recording
from himoe.signal.units import UNITS
from himoe.types import HimoeError
from tests.conftest import ROOT
from tests.library.test_formats import BASE, INPUTS, of

SIEMENS = {"modality": "gsr", "channel": "GSR", "unit": "uS"}


def brainvision(path, channels, markers):
    """A BrainVision file at 8 Hz: ``channels`` as (name, unit, samples), ``markers`` as lines."""
    np.stack([x for _, _, x in channels]).T.astype("<f4").tofile(path.with_suffix(".eeg"))
    head, common = "Brain Vision Data Exchange", f"[Common Infos]\nCodepage=UTF-8\nDataFile={path.stem}.eeg\n"
    infos = [f"Ch{i}={name},,1,{unit}" for i, (name, unit, _) in enumerate(channels, start=1)]
    header = [
        f"{head} Header File Version 1.0\n{common}MarkerFile={path.stem}.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED",
        f"NumberOfChannels={len(channels)}\nSamplingInterval=125000\n[Binary Infos]\nBinaryFormat=IEEE_FLOAT_32",
        "[Channel Infos]",
    ]
    path.write_text("\n".join([*header, *infos, ""]), encoding="utf-8")
    marks = [f"Mk{i}={line}" for i, line in enumerate(markers, start=1)]
    lines = [f"{head} Marker File, Version 1.0", common + "[Marker Infos]", *marks, ""]
    path.with_suffix(".vmrk").write_text("\n".join(lines), encoding="utf-8")


def test_brainvision_in_its_own_units(tmp_path):
    data = np.stack([np.arange(80.0) - 40, np.linspace(2, 3, 80)])
    channels = [("Fp1", "µV", data[0]), ("EDA", "µS", data[1])]
    brainvision(tmp_path / "me.vhdr", channels, ["Comment,trial one,17,32,0"])
    recording = read_recording(tmp_path / "me.vhdr", Mapping(trials="*trial*"))
    assert [(c.name, c.unit) for c in recording.channels] == [("Fp1", "uV"), ("EDA", "uS")]
    [trial] = to_trials(recording, INPUTS, match(recording, INPUTS))
    assert trial.seconds == 4.0  # samples 17 to 48 of 8 Hz
    np.testing.assert_allclose(trial.signals["eeg"].data[0], data[0, 16:48] * 1e-6, rtol=1e-6)
    np.testing.assert_allclose(trial.signals["gsr"].data[0, 2:-2], data[1, 16:48:2][2:-2] * 1e-6, rtol=1e-3)


@pytest.mark.parametrize(
    ("unit", "stated"), [("uS", "uS"), ("µS", "uS"), ("nV", "nV"), ("", "uV"), ("S", "S"), ("kOhm", "kohm")]
)
def test_what_mne_has_scaled_is_in_the_files_numbers_again(tmp_path, unit, stated):
    brainvision(tmp_path / "me.vhdr", [("Fp1", "µV", np.ones(80)), ("EDA", unit, np.full(80, 2.0))], [])
    recording = read_recording(tmp_path / "me.vhdr", Mapping(channels={"EDA": ChannelMapping(**SIEMENS)}))
    np.testing.assert_allclose(of(recording, "EDA").data, 2.0, rtol=1e-6)  # a mapping's uS counts of these
    assert of(read_recording(tmp_path / "me.vhdr"), "EDA").unit == stated


def test_two_channels_of_one_name_keep_their_unit_and_can_be_mapped(tmp_path):
    rows = {"EDA": ("uS", np.linspace(2, 3, 40)), "Fp1": ("uV", np.linspace(-50, 50, 40))}
    signals = [
        edfio.EdfSignal(x, 4, label=name, physical_dimension=u) for name in ("EDA", "Fp1", "Fp1") for u, x in [rows[name]]
    ]
    edfio.Edf(signals).write(tmp_path / "me.edf")
    recording = read_recording(tmp_path / "me.edf", Mapping(channels={"Fp1-2": ChannelMapping(modality="eeg", channel="Fp1")}))
    assert [(c.name, c.unit) for c in recording.channels] == [("EDA", "uS"), ("Fp1-1", "uV"), ("Fp1-2", "uV")]
    np.testing.assert_allclose(of(recording, "Fp1-2").data, rows["Fp1"][1], atol=100 / 2**16)
    assert match(recording, INPUTS).channels["eeg"]["Fp1"].name == "Fp1-2"


@pytest.mark.parametrize("written", [b"\xb5V      ", "µV".encode().ljust(8)])
def test_a_header_in_latin_1_or_utf_8(tmp_path, written):
    signals = [edfio.EdfSignal(np.linspace(-50, 50, 40), 4, label=n, physical_dimension="uV") for n in ("Fp1", "Status")]
    edfio.Edf(signals).write(tmp_path / "me.edf")
    (tmp_path / "me.edf").write_bytes((tmp_path / "me.edf").read_bytes().replace(b"uV      ", written))
    [channel] = read_recording(tmp_path / "me.edf").channels  # status holds codes
    assert channel.unit == "uV"
    np.testing.assert_allclose(channel.data[[0, -1]], [-50, 50], atol=100 / 2**16)


def test_a_clock_that_is_rounded_is_regular(tmp_path):
    """128 Hz in ms: steps of 7 and 8 ms, 8 by the median, which would be 125 Hz."""
    times, wave = np.arange(1280) / 128, np.sin(2 * np.pi * 40 * np.arange(1280) / 128)
    for gone in ([], range(600, 700)):  # a gap makes no other rate of it
        kept = np.delete(np.arange(1280), gone)
        pd.DataFrame({"time": times[kept].round(3), "EDA": wave[kept]}).to_csv(tmp_path / "me.csv", index=False)
        channel = of(read_recording(tmp_path / "me.csv"), "EDA")
        assert channel.sfreq == 128.0
        np.testing.assert_allclose(channel.data[kept], wave[kept])
        assert np.isnan(np.delete(channel.data, kept)).all()


def test_a_missing_row_of_whole_seconds_is_no_jitter(tmp_path):
    times = np.array([0, 1, 2, 4, 5, 6])
    pd.DataFrame({"time": times, "EDA": 10.0 * times}).to_csv(tmp_path / "me.csv", index=False)
    channel = of(read_recording(tmp_path / "me.csv"), "EDA")
    assert channel.sfreq == 1.0
    np.testing.assert_allclose(channel.data, [0, 10, 20, 30, 40, 50, 60])  # the row between is on the line


def test_time_that_is_in_no_seconds_is_refused(tmp_path):
    days, milliseconds = ["2026-01-01T10:00:00", "2026-01-01T10:00:01", "2026-01-01T10:00:02"], [0, 250, 500]
    wrong = {
        r"column 'timestamp' holds no seconds but 2026-01-01T10:00:00": (days, Mapping()),
        r"a row every 250 s; is time in ms\? Write it in seconds, or say `rate: 0.004`": (milliseconds, Mapping()),
        r"a `rate` of 4 Hz, and a row every 250 s; is time in ms\?": (milliseconds, Mapping(rate=4)),
    }
    for message, (times, said) in wrong.items():
        pd.DataFrame({"timestamp": times, "EDA": [1.0, 2.0, 3.0]}).to_csv(tmp_path / "me.csv", index=False)
        with pytest.raises(HimoeError, match=message) as refused:
            read_recording(tmp_path / "me.csv", said)
        assert "\n" not in str(refused.value)
    assert of(read_recording(tmp_path / "me.csv", Mapping(rate=0.004)), "EDA").sfreq == 0.004


def test_a_marker_of_one_sample_lasts_until_the_next(tmp_path):
    lines = ["Stimulus,S  1,17,1,0", "Stimulus,S  1,49,1,0", "Stimulus,S  2,49,1,0", "Stimulus,S  1,73,1,0"]
    brainvision(tmp_path / "me.vhdr", [("Fp1", "µV", np.ones(80))], lines)
    recording = read_recording(tmp_path / "me.vhdr", Mapping(trials="Stimulus/S  1"))
    trials = to_trials(recording, INPUTS, match(recording, INPUTS))
    assert [t.seconds for t in trials] == [4.0, 3.0, 1.0]  # from samples 17, 49 and 73 of 80 at 8 Hz
    kept, short = long_enough(recording, INPUTS, trials)  # a window has 2 s
    assert [t.seconds for t in kept] == [4.0, 3.0]
    assert short == [trials[2].trial]
    with pytest.raises(HimoeError, match="me: every trial is shorter than a window of 2 s"):
        long_enough(recording, INPUTS, trials[2:])


def test_any_of_several_units_will_do_where_channels_are_not_said_apart():
    eye = Input(name="gaze", channels=("x", "y", "speed"), sfreq=4.0, unit="1, rad/s", **BASE)
    inputs = INPUTS.model_copy(update={"modalities": (eye,)})
    channels = (Channel("x", np.ones(8), 4.0, "1"), Channel("speed", np.full(8, 180.0), 4.0, "deg/s"))
    recording = Recording("me", channels)
    [trial] = to_trials(recording, inputs, match(recording, inputs))
    np.testing.assert_allclose(trial.signals["gaze"].data[[0, 2], 0], [1.0, np.pi], rtol=1e-6)
    wrong = replace(recording, channels=(replace(channels[0], unit="degC"),))
    with pytest.raises(HimoeError, match="recorded in degC, the model reads 1 or rad/s"):
        to_trials(wrong, inputs, match(wrong, inputs))
    assert eye.unit_inside == "1, rad/s"
    assert eye.model_copy(update={"unit": "uS"}).unit_inside == "S"


def test_a_reference_names_what_the_model_reads():
    rows = tuple(Channel(n, np.full(8, x), 8.0, "V") for n, x in (("Fp1", 1.0), ("T7", 3.0)))
    recording = Recording("me", rows, mapping=Mapping(reference={"EEG": "average"}))
    [trial] = to_trials(recording, INPUTS, match(recording, INPUTS))
    np.testing.assert_allclose(trial.signals["eeg"].data[:, 0], [-1, 1])  # the mean is 2
    wrong = replace(recording, mapping=Mapping(reference={"egg": "average"}))
    with pytest.raises(HimoeError, match="me: reference: the model reads no 'egg'; did you mean 'eeg'"):
        to_trials(wrong, INPUTS, match(wrong, INPUTS))


def test_every_trial_has_a_name_of_its_own():
    marks = tuple(Mark(name, onset, 1.0) for onset, name in enumerate(["trial x", "trial x", "trial x-1"]))
    names = [m.name for m in Recording("me", (Channel("EDA", np.zeros(40), 4.0, "uS"),), marks).trials]
    assert names == ["trial x-2", "trial x-3", "trial x-1"]


def test_the_guide_names_every_unit():
    guide = (ROOT / "docs/howto/predict.md").read_text(encoding="utf-8")
    [said] = [line.partition("Units: ")[2] for line in guide.replace("\n", " ").split("\n") if "Units: " in line]
    assert said.partition(". Resistance")[0].split(", ") == list(UNITS)


def test_marks_that_no_pattern_meets_are_named(tmp_path):
    brainvision(tmp_path / "me.vhdr", [("Fp1", "µV", np.ones(80))], ["Comment,film one,17,32,0", "Comment,film two,49,16,0"])
    there = "marks: Comment/film one, Comment/film two"
    with pytest.raises(HimoeError, match=rf"no mark is 'video\*', which the mapping names; {there}"):
        read_recording(tmp_path / "me.vhdr", Mapping(trials="video*"))
    recording = read_recording(tmp_path / "me.vhdr")  # nothing was said: one trial, and a warning of predict's
    assert [trial.name for trial in recording.trials] == ["whole"]
    assert f"marks: {recording.unmatched}" == there
    assert read_recording(tmp_path / "me.vhdr", Mapping(trials="*film*")).unmatched == ""
    brainvision(tmp_path / "me.vhdr", [("Fp1", "µV", np.ones(80))], [])
    with pytest.raises(HimoeError, match="the file has no marks"):
        read_recording(tmp_path / "me.vhdr", Mapping(trials="*"))
    assert "array" not in repr(recording)  # what a notebook shows of it
