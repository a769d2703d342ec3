"""The door: irregular series and units of a reader's trials, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from himoe import registry
from himoe.config.facts import dataset_info
from himoe.config.run import Config
from himoe.data import door
from himoe.data.prepare import prepare_subject
from himoe.data.recordings import read_trials, write_trials
from himoe.types import DatasetInfo, HimoeError, Modality, Signal, Trial

BEATS = Modality("ibi", ("ibi",), 2.0, "ms", "values", "none", max_gap=1.5)
SKIN = Modality("temperature", ("skt",), 1.0, "K", "values", "none")
TIMES, INTERVALS = np.array([1.0, 2.0, 6.0]), np.array([[800.0, 900.0, 1000.0]])  # s; ms
# On the grid of 2 Hz over 8 s: nothing before 1 - 1.5 / 2 = 0.25 s; 800 held at 0.5; 850 halfway between the first two; 900 at
# 2 s, and nothing until 6 s, for 6 - 2 > 1.5; 1000 held until 6.75 s. In s.
GRID = np.array([[np.nan, 0.8, 0.8, 0.85, 0.9, *[np.nan] * 7, 1.0, 1.0, np.nan, np.nan]])


def trial(signals, **options):
    return Trial("s1", "1", "t1", "clip", 8.0, signals, np.array([5.0]), **options)


def let_in(series, **options):
    return door.let_in(trial({"ibi": series}, **options), (BEATS, SKIN))


def test_an_irregular_series_is_put_on_the_grid():
    out = let_in(Signal(INTERVALS, 2.0, times=TIMES)).signals["ibi"]
    assert (out.sfreq, out.start, out.times) == (2.0, 0.0, None)
    np.testing.assert_allclose(out.data, GRID)


def test_an_interval_that_is_no_number_is_none():
    """Without the middle one, 1 s and 6 s are no neighbours: 800 is held until 1.5 s and no longer."""
    out = let_in(Signal(np.array([[800.0, np.nan, 1000.0]]), 2.0, times=TIMES)).signals["ibi"]
    np.testing.assert_allclose(out.data[0, :5], [np.nan, 0.8, 0.8, np.nan, np.nan])


def test_a_series_that_began_before_the_trial_and_a_baseline_of_its_own():
    before = Signal(INTERVALS, 2.0, start=-1.0, times=TIMES - 1.5)
    out = let_in(before, baseline={"ibi": Signal(INTERVALS[:, :2], 2.0, times=TIMES[:2])})
    assert out.signals["ibi"].data.shape == (1, 18)  # 1 s before and 8 s of the trial, at 2 Hz
    np.testing.assert_allclose(out.signals["ibi"].data[0, :4], [0.8, 0.8, 0.85, 0.9])  # at -1, -0.5, 0, 0.5 s
    np.testing.assert_allclose(out.baseline["ibi"].data, GRID[:, :5])  # to its last value, at 2 s, with it


def test_a_baseline_holds_its_last_value():
    """Four values at 1 Hz are four points; with the last at 3.4 s, the point after 3 s, 3.5, is beyond it."""
    four = Signal(np.array([[800.0, 900.0, 1000.0, 1100.0]]), 2.0, times=np.arange(4.0))
    late = replace(four, times=np.array([0.0, 1.0, 2.0, 3.4]))
    for series, n_points in ((four, 7), (late, 7)):
        out = let_in(Signal(INTERVALS, 2.0, times=TIMES), baseline={"ibi": series}).baseline["ibi"]
        assert out.data.shape == (1, n_points)
    out = door.let_in(trial({}, baseline={"temperature": replace(four, sfreq=1.0)}), (replace(SKIN, unit="degC", max_gap=2.0),))
    np.testing.assert_allclose(out.baseline["temperature"].data, [[800, 900, 1000, 1100]])


def test_nothing_was_recorded():
    out = let_in(Signal(np.zeros((1, 0)), 2.0, times=np.zeros(0))).signals["ibi"]
    assert out.data.shape == (1, 16)
    assert np.isnan(out.data).all()


def test_units_are_converted_and_what_needs_nothing_is_the_same_object():
    cold, volts = Signal(np.array([[306.15, 305.15]]), 1.0), Signal(np.ones((1, 4)), 4.0)
    eeg = Modality("eeg", ("Cz",), 4.0, "V", "values")
    out = door.let_in(trial({"temperature": cold, "eeg": volts}), (SKIN, eeg)).signals
    np.testing.assert_allclose(out["temperature"].data, [[33.0, 32.0]])
    assert out["eeg"] is volts


@pytest.mark.parametrize(
    ("times", "words"),
    [([1.0, 6.0, 2.0], "times that fall"), ([1.0, 2.0], r"\(2,\) times for values"), ([1.0, np.nan, 2.0], "are no numbers")],
)
def test_times_that_cannot_be_are_told_in_one_line(times, words):
    with pytest.raises(HimoeError, match=rf"^s1 t1: ibi: .*{words}"):
        let_in(Signal(INTERVALS, 2.0, times=np.array(times)))


@pytest.mark.parametrize("kind", [bool, complex, str, object])
def test_values_that_are_no_real_numbers_are_refused(kind):
    with pytest.raises(HimoeError, match=r"^s1 t1: temperature: values of type .*, expected real numbers"):
        door.let_in(trial({"temperature": Signal(np.ones((1, 8)).astype(kind), 1.0)}), (SKIN,))
    with pytest.raises(HimoeError, match=r"^s1 t1: targets: values of type .*, expected real numbers"):
        door.let_in(replace(trial({}), targets=np.ones(1).astype(kind)), (SKIN,))


def test_numbers_of_any_kind_are_float64_and_none_is_unknown():
    assert door.real_numbers([1, None, 2.5], "x")[[0, 2]].tolist() == [1.0, 2.5]
    assert np.isnan(door.real_numbers([1, None, 2.5], "x")[1])
    assert door.real_numbers(np.int8([-3]), "x").dtype == np.float64
    for odd in ([True, None], ["1", None], [1j, None]):
        with pytest.raises(HimoeError, match=r"^x: values of type (bool|str|complex), expected real numbers"):
            door.real_numbers(odd, "x")


def test_without_a_longest_gap_a_series_is_refused():
    with pytest.raises(HimoeError, match=r"^s1 t1: temperature: an irregular series; say max_gap"):
        door.let_in(trial({"temperature": Signal(INTERVALS, 1.0, times=TIMES)}), (SKIN,))


def test_tokens_are_absent_where_there_is_nothing(tmp_path):
    """Windows of 1 s every second: both samples of seconds 1 and 6 are there (0.825, 1 s), of second 2 the first alone."""
    info = DatasetInfo(
        "D", "c", "l", "a", (), ("s1",), 1, 8.0, (BEATS,), ("valence",), ("valence",), (1.0, 9.0), False, 1.0, 1.0
    )
    write_trials(tmp_path / "s1.safetensors", [let_in(Signal(INTERVALS, 2.0, times=TIMES))])
    options = Config(datasets=["deap_twin"]).feature_options("deap_twin")
    tokens, quality = prepare_subject(info, read_trials(tmp_path / "s1.safetensors"), ("valence",), options)
    assert tokens.mask[:, 0].tolist() == [False, True, False, False, False, False, True, False]
    np.testing.assert_allclose(tokens.x[[1, 6], 0], [0.825, 1.0], rtol=1e-6)
    assert (tokens.x[~tokens.mask[:, 0]] == 0).all()
    assert quality["ibi"]["not_recorded"] == 6


def test_a_plug_in_with_another_unit_is_refused_before_a_run(monkeypatch):
    facts = registry.peek("datasets", "deap_twin")
    eeg = replace(facts["INFO"].modalities[0], unit="volts")
    monkeypatch.setitem(facts, "INFO", replace(facts["INFO"], modalities=(eeg,)))
    with pytest.raises(HimoeError, match=r"^himoe/datasets/deap\.py: eeg: there is no unit 'volts'"):
        dataset_info("deap_twin")
