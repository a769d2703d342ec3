"""Every kind of file comes out as the numbers that were written into it, in the unit of the file."""

from __future__ import annotations

import json
from dataclasses import replace

import edfio
import mne
import numpy as np
import pandas as pd
import pytest

from himoe.library.formats import Channel, Mark
from himoe.library.inputs import Input, Inputs
from himoe.library.matching import match, to_trials
from himoe.library.recording import ChannelMapping, Mapping, Recording, read_mapping, read_recording
from himoe.library.units import convert, unit_of
from himoe.types import HimoeError

BASE = {"recipe": "values", "normalise": "session", "features": ("x",)}
INPUTS = Inputs(
    modalities=(
        Input(name="gsr", channels=("GSR",), sfreq=4.0, unit="S", **BASE),
        Input(name="eeg", channels=("Fp1", "T7"), sfreq=8.0, unit="V", **BASE),
        Input(name="cardiac", channels=("rate", "interval"), sfreq=4.0, unit="1/min, s", **BASE),
    ),
    targets=("valence",), target_range=(1.0, 9.0), per_token=True, token_rate=2.0, token_window=2.0,
    options={"normalise": {"by": "session", "trials": 0}},
)  # fmt: skip


def of(recording, name):
    [channel] = [c for c in recording.channels if c.name == name]
    return channel


def test_units_become_those_that_models_read():
    cases = [
        ("µV", 5.0, "V", 5e-6), ("μS", 2.0, "S", 2e-6), ("microsiemens", 2.0, "S", 2e-6), ("kohm", 500.0, "S", 2e-6),
        ("°F", 98.6, "degC", 37.0), ("K", 310.15, "degC", 37.0), ("bpm", 70.0, "1/min", 70.0), ("ms", 800.0, "s", 0.8),
        ("S", 1e-6, "ohm", 1e6), ("mV", 1.0, "uV", 1e-3),  # a data set in uV reaches its models in V
    ]  # fmt: skip
    for unit, value, wanted, expected in cases:
        np.testing.assert_allclose(convert(np.array([value]), unit_of(unit, ""), wanted, ""), [expected])
    assert np.isnan(convert(np.array([0.0]), "ohm", "S", "")).all()  # no contact
    assert unit_of("n/a", "") == unit_of(" ", "") == ""
    assert (unit_of("mS", ""), unit_of("ms", ""), unit_of("S", ""), unit_of("s", "")) == ("mS", "ms", "S", "s")
    with pytest.raises(HimoeError, match="there: unit 'furlong' is not known; valid units: V, mV"):
        unit_of("furlong", "there")


def test_a_table_with_a_mapping(tmp_path):
    table = pd.DataFrame(
        {"time": np.arange(40) / 4, "EDA_Raw": np.linspace(1, 2, 40), "HR": 70.0, "trial": [""] * 8 + ["a"] * 16 + ["b"] * 16}
    )
    table.to_csv(tmp_path / "me.csv", index=False)
    (tmp_path / "m.yaml").write_text(
        "baseline: 2\nchannels:\n  EDA_Raw: {modality: eda, unit: uS}\n  HR: {modality: cardiac, channel: rate, unit: bpm}\n"
    )
    recording = read_recording(tmp_path / "me.csv", tmp_path / "m.yaml")
    assert [(t.name, t.onset, t.seconds) for t in recording.trials] == [("trial a", 2.0, 4.0), ("trial b", 6.0, 4.0)]
    matched = match(recording, INPUTS)
    assert {m: list(c) for m, c in matched.channels.items()} == {"gsr": ["GSR"], "cardiac": ["rate"]}
    first, second = to_trials(recording, INPUTS, matched)
    assert (first.signals["gsr"].start, first.signals["gsr"].data.shape) == (-2.0, (1, 24))  # 2 s of rest, 4 s
    np.testing.assert_allclose(second.signals["gsr"].data[0], 1e-6 * table["EDA_Raw"].to_numpy()[16:], rtol=1e-6)
    np.testing.assert_allclose(first.signals["cardiac"].data[0], 70.0)
    assert np.isnan(first.signals["cardiac"].data[1]).all()  # no interval was recorded
    table.to_parquet(tmp_path / "me.parquet")
    same = read_recording(tmp_path / "me.parquet", tmp_path / "m.yaml")
    np.testing.assert_array_equal(of(same, "EDA_Raw").data, of(recording, "EDA_Raw").data)


def test_times_of_their_own_come_to_a_regular_clock(tmp_path):
    times = np.array([0, 0.25, 0.55, 0.75, 1.0, 4.0, 4.25])  # 4 Hz by the median, one late, 3 s of nothing
    pd.DataFrame({"time": times, "GSR": 10 * times}).to_csv(tmp_path / "me.csv", index=False)
    channel = of(read_recording(tmp_path / "me.csv"), "GSR")
    assert channel.sfreq == 4.0
    np.testing.assert_allclose(channel.data[:5], [0, 2.5, 5.0, 7.5, 10])  # a straight line stays one
    assert np.isnan(channel.data[7:14]).all()
    np.testing.assert_allclose(channel.data[16:18], [40, 42.5])


def test_a_table_that_says_too_little_is_refused(tmp_path):
    wrong = {
        "neither a column 'time'": {"GSR": [1.0, 2.0]},
        "column 'note' holds no numbers": {"time": [0, 1], "note": ["a", "b"]},
        "column 'worn' holds no numbers": {"time": [0, 1], "worn": [True, False]},
        "does not grow from row to row": {"time": [1.0, 0.0, 2.0], "GSR": [1.0, 2.0, 3.0]},
    }
    for message, columns in wrong.items():
        pd.DataFrame(columns).to_csv(tmp_path / "me.csv", index=False)
        with pytest.raises(HimoeError, match=message):
            read_recording(tmp_path / "me.csv")


def test_bids_physio_with_its_json_and_events(tmp_path):
    name = "sub-01_task-film_recording-eda_physio"
    pd.DataFrame({0: np.linspace(3, 4, 48), 1: 0.0}).to_csv(tmp_path / f"{name}.tsv.gz", sep="\t", header=False, index=False)
    facts = {
        "SamplingFrequency": 4.0,
        "StartTime": -2.0,
        "Columns": ["skin_conductance", "trigger"],
        "skin_conductance": {"Units": "microsiemens"},
    }
    (tmp_path / f"{name}.json").write_text(json.dumps(facts))
    (tmp_path / "sub-01_task-film_events.tsv").write_text(
        "onset\tduration\ttrial_type\n0\t4\ttrial_1\n5\t4\ttrial_2\n4.5\t0\tbutton\n"
    )
    recording = read_recording(tmp_path / f"{name}.tsv.gz", Mapping(baseline=1.0))
    assert [c.name for c in recording.channels] == ["skin_conductance"]
    assert [t.name for t in recording.trials] == ["trial_1", "trial_2"]
    first, second = to_trials(recording, INPUTS, match(recording, INPUTS))
    line = np.linspace(3, 4, 48) * 1e-6
    np.testing.assert_allclose(first.signals["gsr"].data[0], line[4:24], rtol=1e-6)  # from 1 s before 0, which is sample 8
    np.testing.assert_allclose(second.signals["gsr"].data[0], line[24:44], rtol=1e-6)
    (tmp_path / f"{name}.json").write_text("{}")
    with pytest.raises(HimoeError, match="must say Columns and SamplingFrequency"):
        read_recording(tmp_path / f"{name}.tsv.gz")


@pytest.mark.parametrize(("kind", "signal", "file"), [("edf", edfio.EdfSignal, edfio.Edf), ("bdf", edfio.BdfSignal, edfio.Bdf)])
def test_edf_and_bdf_of_two_rates_in_their_own_units(tmp_path, kind, signal, file):
    fast, slow = 50 * np.sin(np.arange(80) / 5), np.linspace(2, 3, 40)
    signals = [
        signal(fast, 8, label="EEG Fp1-Ref", physical_dimension="uV"),
        signal(slow, 4, label="EDA", physical_dimension="uS"),
    ]
    file(signals, annotations=[edfio.EdfAnnotation(2, 4, "Trial one")]).write(tmp_path / f"me.{kind}")
    recording = read_recording(tmp_path / f"me.{kind}")
    assert [(c.name, c.sfreq, c.unit) for c in recording.channels] == [("EEG Fp1-Ref", 8.0, "uV"), ("EDA", 4.0, "uS")]
    np.testing.assert_allclose(of(recording, "EEG Fp1-Ref").data, fast, atol=100 / 2**16)
    [trial] = to_trials(recording, INPUTS, match(recording, INPUTS))
    np.testing.assert_allclose(trial.signals["gsr"].data[0], slow[8:24] * 1e-6, atol=1e-10)
    np.testing.assert_allclose(trial.signals["eeg"].data[0], fast[16:48] * 1e-6, atol=2e-9)
    (tmp_path / f"no.{kind}").write_bytes(b"0" * 300)
    with pytest.raises(HimoeError, match=rf"no\.{kind}: not readable") as refused:
        read_recording(tmp_path / f"no.{kind}")
    assert "\n" not in str(refused.value)


def test_fif_as_mne_writes_it(tmp_path):
    data = np.stack([1e-5 * np.sin(np.arange(400) / 9), np.full(400, 3e-6)])
    raw = mne.io.RawArray(data, mne.create_info(["T3", "EDA"], 8.0, ["eeg", "gsr"]), first_samp=80, verbose="error")
    raw.set_annotations(mne.Annotations([5.0], [10.0], ["trial"]))
    raw.save(tmp_path / "me_raw.fif", fmt="double", verbose="error")
    recording = read_recording(tmp_path / "me_raw.fif")
    assert [c.unit for c in recording.channels] == ["V", "S"]
    [trial] = to_trials(recording, INPUTS, match(recording, INPUTS))
    np.testing.assert_allclose(trial.signals["eeg"].data[1], data[0, 40:120], rtol=1e-6)  # T3 is the old name of T7


def test_a_marked_onset_lasts_until_the_next():
    channel = Channel("GSR", np.arange(40.0), 4.0, "S")
    recording = Recording("me", (channel,), (Mark("trial", 1.0, 0.0), Mark("trial", 4.0, 0.0)))
    trials = to_trials(recording, INPUTS, match(recording, INPUTS))
    assert [(t.trial, t.seconds) for t in trials] == [("trial-1", 3.0), ("trial-2", 6.0)]
    [whole] = replace(recording, marks=()).trials
    assert whole == Mark("whole", 0.0, 10.0)


def test_another_rate_and_the_average_reference():
    rows = np.stack([np.sin(2 * np.pi * np.arange(64) / 32), np.full(64, 2.0)])  # 0.5 Hz at 16 Hz, to 8 Hz
    rows[1, 32:] = np.nan
    channels = tuple(Channel(n, r, 16.0, "V") for n, r in zip(("Fp1", "T7"), rows, strict=True))
    plain = Recording("me", channels)
    [trial] = to_trials(plain, INPUTS, match(plain, INPUTS))
    data = trial.signals["eeg"].data
    assert data.shape == (2, 32)
    np.testing.assert_allclose(data[0, 4:28], rows[0, 8:56:2], atol=0.02)
    assert np.isnan(data[1, 16:]).all()
    [trial] = to_trials(replace(plain, mapping=Mapping(reference={"eeg": "average"})), INPUTS, match(plain, INPUTS))
    np.testing.assert_allclose(trial.signals["eeg"].data[:, :16].sum(0), 0, atol=1e-6)


def test_a_mapping_counts_in_the_files_numbers(tmp_path):
    signal = edfio.EdfSignal(np.linspace(1, 2, 40), 4, label="GSR1", physical_dimension="uV")  # as BioSemi says of all
    edfio.Edf([signal]).write(tmp_path / "me.edf")
    said = Mapping(channels={"GSR1": ChannelMapping(modality="gsr", unit="uS")})
    recording = read_recording(tmp_path / "me.edf", said)
    [trial] = to_trials(recording, INPUTS, match(recording, INPUTS))
    np.testing.assert_allclose(trial.signals["gsr"].data[0], np.linspace(1, 2, 40) * 1e-6, atol=1e-10)


def test_a_mapping_with_a_mistake_names_it(tmp_path):
    wrong = {
        "channels.GSR.unti: Extra inputs": "channels: {GSR: {unti: uS}}",
        "baseline: Input should be greater": "baseline: -1",
        "not a readable mapping file": "a: [",
        "reference.eeg: Input should be 'average'": "reference: {eeg: mastoid}",
    }
    for message, text in wrong.items():
        (tmp_path / "m.yaml").write_text(text)
        with pytest.raises(HimoeError, match=message) as refused:
            read_mapping(tmp_path / "m.yaml")
        assert "\n" not in str(refused.value)
    pd.DataFrame({"time": [0.0, 1.0], "GSR": [1.0, 2.0]}).to_csv(tmp_path / "me.csv", index=False)
    with pytest.raises(HimoeError, match="no channel 'GSRR', which the mapping names; did you mean 'GSR'"):
        read_recording(tmp_path / "me.csv", Mapping(channels={"GSRR": ChannelMapping(modality="gsr")}))
    for name, message in (("no.csv", "no such recording"), ("m.yaml", "no recording of a known kind; known: .edf")):
        with pytest.raises(HimoeError, match=message):
            read_recording(tmp_path / name)


def test_a_lone_ecg_is_the_first_lead():
    ecg = Input(name="ecg", channels=("ECG1", "ECG2"), sfreq=4.0, unit="V", **(BASE | {"recipe": "ecg"}))
    inputs = INPUTS.model_copy(update={"modalities": (ecg,)})
    for name, expected in (("ECG_Raw", "ECG1"), ("ECG2", "ECG2"), ("EKG", "ECG1")):
        matched = match(Recording("me", (Channel(name, np.zeros(8), 4.0, "mV"),)), inputs)
        assert list(matched.channels["ecg"]) == [expected]
    pulse = Recording("me", (Channel("cardiac", np.zeros(8), 4.0, "mV"),))  # as BIDS calls a pulse
    with pytest.raises(HimoeError, match=r"no channel that the model reads \(ecg\).*: cardiac"):
        match(pulse, inputs)
    said = Mapping(channels={"cardiac": ChannelMapping(modality="ecg")})
    assert list(match(replace(pulse, mapping=said), inputs).channels["ecg"]) == ["ECG1"]
