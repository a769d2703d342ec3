"""From recordings to tokens: baseline, gate, ragged and late labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from himoe.config.load import load_config
from himoe.config.run import Config
from himoe.data import prepare
from himoe.data.views import less_baseline
from himoe.types import DatasetInfo, Edition, HimoeError, Modality, Signal, Trial

OPTIONS = {
    "eeg": {"filter": "whole_trial"}, "gsr": {"scr_amplitude": 0.01},
    "quality": {"min_measured": 0.5, "clipped_share": 0.05}, "normalise": {"by": "session", "trials": 0},
}  # fmt: skip


def info(*modalities: Modality, per_token: bool = False) -> DatasetInfo:
    edition = Edition("one", ("x",))
    return DatasetInfo(
        "T", "c", "l", "a", (edition,), ("s1",), None, None, modalities, ("y",), ("y",), (0.0, 9.0), per_token, 2.0, 2.0
    )


def test_the_baselines_mean_stands_beside_the_features():
    # temperature 30 for 4 s, then 31 rising by 0.1 per s: the level before is 30, its slope 0
    facts = info(Modality("temperature", ("t",), 10.0, "a.u.", "temperature", "none"))
    t = np.arange(100) / 10
    data = np.concatenate([np.full(40, 30.0), 31 + 0.1 * t])[None]
    trial = Trial("s1", "1", "t1", "v1", 10.0, {"temperature": Signal(data, 10.0, -4.0)}, np.array([1.0]))
    tokens, _ = prepare.prepare_subject(facts, [trial], ("y",), OPTIONS)
    np.testing.assert_allclose(tokens.x[:, 0], 31 + 0.1 * (tokens.time - 0.05), atol=1e-4)
    np.testing.assert_allclose(tokens.baseline, [[30, 0]], atol=1e-6)
    np.testing.assert_allclose(less_baseline(tokens, 1.0).x[:, 0], 1 + 0.1 * (tokens.time - 0.05), atol=1e-4)


def test_a_baseline_is_mapped_as_its_features_are():
    """Trials at 1 and 3 after baselines of 10 and 14: the session's mean is 2 and its spread 1, the baselines' mean 12."""
    facts = info(Modality("temperature", ("t",), 10.0, "a.u.", "temperature"))
    data = [np.concatenate([np.full(40, before), np.full(100, during)])[None] for before, during in ((10.0, 1.0), (14.0, 3.0))]
    trials = [
        Trial("s1", "1", f"t{i}", f"v{i}", 10.0, {"temperature": Signal(d, 10.0, -4.0)}, np.array([1.0]))
        for i, d in enumerate(data)
    ]
    tokens, _ = prepare.prepare_subject(facts, trials, ("y",), OPTIONS)
    np.testing.assert_allclose(tokens.x[[0, -1], 0], [-1, 1], atol=1e-6)
    np.testing.assert_allclose(tokens.baseline[:, 0], [-2, 2], atol=1e-6)
    raw, _ = prepare.prepare_subject(facts, trials, ("y",), OPTIONS | {"normalise": {"by": "none", "trials": 0}})
    np.testing.assert_allclose(raw.x[[0, -1], 0], [1, 3], atol=1e-6)
    np.testing.assert_allclose(raw.baseline[:, 0], [10, 14], atol=1e-6)


def sessions_of(*values: tuple[str, float]) -> list[Trial]:
    """Trials (session, level), each at level - 1 in its first half and level + 1 in its second."""
    halves = [np.repeat([level - 1, level + 1], 50)[None] for _, level in values]
    return [
        Trial("s1", session, f"t{i}", f"v{i}", 10.0, {"values": Signal(h, 10.0)}, np.array([float(i)]))
        for i, ((session, _), h) in enumerate(zip(values, halves, strict=True))
    ]


def test_calibration_trials_give_the_scale_and_are_left_out():
    """The first trial of session a is at 5 -+ 1, of b at 50 -+ 1: mean 5 and 50, spread just below 1 (three of 17 windows
    straddle the middle). What comes later has no say."""
    facts = info(Modality("values", ("v",), 10.0, "a.u.", "values"))
    trials = sessions_of(("a", 5.0), ("a", 7.0), ("b", 50.0), ("b", 53.0), ("a", 9.0))
    options = OPTIONS | {"normalise": {"by": "calibration", "trials": 1}}
    tokens, _ = prepare.prepare_subject(facts, trials, ("y",), options)
    assert [t.trial for t in tokens.trials] == ["t1", "t3", "t4"]
    assert tokens.y[tokens.offsets[:-1], 0].tolist() == [1, 3, 4]
    first, _ = prepare.prepare_subject(facts, trials[:1], ("y",), OPTIONS | {"normalise": {"by": "none", "trials": 0}})
    spread = first.x.std()
    at = [tokens.x[a:b, 0].mean() for a, b in zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True)]
    np.testing.assert_allclose(at, [2 / spread, 3 / spread, 4 / spread], rtol=1e-5)
    other = sessions_of(("a", 5.0), ("a", 70.0), ("b", 50.0), ("b", 53.0), ("a", 9.0))
    moved, _ = prepare.prepare_subject(facts, other, ("y",), options)
    np.testing.assert_array_equal(moved.x[17:], tokens.x[17:])  # another first scored trial moves no other one
    with_all, _ = prepare.prepare_subject(facts, trials, ("y",), OPTIONS | {"normalise": {"by": "session", "trials": 1}})
    assert [t.trial for t in with_all.trials] == ["t1", "t3", "t4"]  # judged on the same trials in every arm
    with pytest.raises(HimoeError, match="calibration_trials: 3 trials"):
        prepare.prepare_subject(facts, trials, ("y",), OPTIONS | {"normalise": {"by": "session", "trials": 3}})


def test_without_a_measured_baseline_nothing_is_subtracted():
    """With the session's mean in its place a feature stays what it is. It was lost as long as the baseline itself was
    subtracted and not its deviation from the session's."""
    facts = info(Modality("temperature", ("t",), 10.0, "a.u.", "temperature", "none"))
    data = np.concatenate([np.full(40, np.nan), np.arange(100.0)])[None]
    trial = Trial("s1", "1", "t1", "v1", 10.0, {"temperature": Signal(data, 10.0, -4.0)}, np.array([1.0]))
    tokens, quality = prepare.prepare_subject(facts, [trial], ("y",), OPTIONS)
    assert tokens.mask.all()
    assert tokens.baseline is None
    assert quality["temperature"]["no_baseline"] == 17


def test_the_gate_masks_and_counts():
    rng = np.random.default_rng(0)
    names = ("a", "b", "c", "d")
    data = 1e-5 * rng.standard_normal((4, 20 * 128))
    data[0] = 2e-6  # flat throughout
    data[1, 5 * 128 : 7 * 128] = data[1].max()  # two seconds at the rail
    data[2, 10 * 128] = np.nan
    facts = info(Modality("eeg", names, 128.0, "V", "eeg_de", "none"))
    trial = Trial("s1", "1", "t1", "v1", 20.0, {"eeg": Signal(data, 128.0)}, np.array([1.0]))
    tokens, quality = prepare.prepare_subject(facts, [trial], ("y",), OPTIONS)
    counts = quality["eeg"]
    n_tokens = 37  # (20 - 2) * 2 + 1
    assert counts["windows"] == 4 * n_tokens
    assert counts["dead"] == n_tokens  # channel a
    assert counts["flat"] == 1  # of channel b the one window, [5, 7), that does not move at all
    assert counts["not_recorded"] == 4  # windows that begin at 8.5, 9, 9.5, 10 s hold the sample at 10 s
    assert counts["clipped"] == 6  # windows from 3.5 .. 6.5 s overlap the rail by at least a quarter, less the flat one
    assert tokens.mask.all()  # half of the features are enough
    assert (counts["present"], counts["tokens"]) == (n_tokens, n_tokens)
    strict = OPTIONS | {"quality": OPTIONS["quality"] | {"min_measured": 1.0}}
    tokens, _ = prepare.prepare_subject(facts, [trial], ("y",), strict)
    assert not tokens.mask.any()


@pytest.mark.parametrize(("fault", "reason"), [(0.0, "flat"), (np.nan, "gap")], ids=["flat", "gap"])
def test_a_baseline_passes_the_gate_too(fault, reason):
    """EEG that is flat, or has one gap, before the stimulus: no level to subtract from the channel, and counted."""
    rng = np.random.default_rng(0)
    data = 1e-5 * rng.standard_normal((2, 13 * 128))
    data[0, : 3 * 128] = 0.0 if reason == "flat" else data[0, : 3 * 128]
    data[0, int(1.5 * 128)] = fault
    facts = info(Modality("eeg", ("a", "b"), 128.0, "V", "eeg_de", "none"))
    trial = Trial("s1", "1", "t1", "v1", 10.0, {"eeg": Signal(data, 128.0, -3.0)}, np.array([1.0]))
    tokens, quality = prepare.prepare_subject(facts, [trial], ("y",), OPTIONS)
    assert quality["eeg"]["no_baseline"] == 17  # channel a, all windows
    assert tokens.mask.all()
    assert not tokens.baseline[0, :4].any()
    assert tokens.baseline[0, 4:].all()


@pytest.mark.parametrize("apart", [True, False])
def test_a_baseline_shorter_than_a_window_is_none(apart):
    facts = info(Modality("temperature", ("t",), 10.0, "a.u.", "temperature", "none"))
    data = 30 + np.arange(118.0)[None] / 100
    signal = Signal(data[:, 18:], 10.0) if apart else Signal(data, 10.0, -1.8)
    rest = {"temperature": Signal(data[:, :18], 10.0)} if apart else {}
    trial = Trial("s1", "1", "t1", "v1", 10.0, {"temperature": signal}, np.array([1.0]), baseline=rest)
    tokens, quality = prepare.prepare_subject(facts, [trial], ("y",), OPTIONS)
    assert tokens.baseline is None
    assert quality["temperature"]["no_baseline"] == 17


def test_a_dead_sensor_is_absent():
    facts = info(Modality("temperature", ("t",), 10.0, "a.u.", "temperature"), Modality("gsr", ("g",), 32.0, "S", "gsr"))
    signals = {"temperature": Signal(np.zeros((1, 200)), 10.0), "gsr": Signal(np.full((1, 640), 5e-6), 32.0)}
    trial = Trial("s1", "1", "t1", "v1", 20.0, signals, np.array([1.0]))
    tokens, quality = prepare.prepare_subject(facts, [trial], ("y",), OPTIONS)
    assert not tokens.mask.any()
    assert quality["temperature"]["dead"] == quality["gsr"]["dead"] == 37


def test_a_gap_in_the_annotations_is_no_label():
    facts = info(Modality("values", ("v",), 10.0, "a.u.", "values", "none"), per_token=True)
    times = np.array([t for t in np.arange(0, 20, 0.25) if not 6 < t < 12])
    trial = Trial("s1", "1", "t1", "v1", 20.0, {"values": Signal(np.zeros((1, 200)), 10.0)}, times[:, None], times)
    tokens, _ = prepare.prepare_subject(facts, [trial], ("y",), OPTIONS)
    lost = np.isnan(tokens.y[:, 0])
    assert tokens.time[lost].tolist() == [6.5 + i / 2 for i in range(11)]  # 6.5 .. 11.5; 6 and 12 were rated


def test_too_short_a_recording_is_missing_not_an_error():
    facts = info(Modality("ecg", ("ecg",), 128.0, "V", "ecg"), Modality("values", ("v",), 128.0, "a.u.", "values"))
    rng = np.random.default_rng(0)
    signals = {"ecg": Signal(rng.standard_normal((1, 384)), 128.0), "values": Signal(rng.standard_normal((1, 384)), 128.0)}
    trial = Trial("s1", "1", "t1", "v1", 3.0, signals, np.array([1.0]))
    tokens, quality = prepare.prepare_subject(facts, [trial], ("y",), OPTIONS)
    assert tokens.mask[:, 0].sum() == 0
    assert tokens.mask[:, 1].all()
    assert quality["ecg"]["too_short"] == quality["ecg"]["windows"] == 3


def test_labels_are_interpolated_to_the_clock_and_moved_by_the_lag():
    facts = info(Modality("values", ("v",), 10.0, "a.u.", "values", "none"), per_token=True)
    times = np.arange(0, 10, 0.25)
    trial = Trial("s1", "1", "t1", "v1", 10.0, {"values": Signal(np.zeros((1, 100)), 10.0)}, (2 * times)[:, None], times)
    tokens, _ = prepare.prepare_subject(facts, [trial], ("y",), OPTIONS)
    np.testing.assert_allclose(tokens.y[:, 0], 2 * tokens.time, atol=1e-6)
    late, _ = prepare.prepare_subject(facts, [trial], ("y",), OPTIONS, lag=1.5)
    known = np.isfinite(late.y[:, 0])
    np.testing.assert_allclose(late.y[known, 0], 2 * (late.time[known] + 1.5), atol=1e-6)
    assert late.time[~known].tolist() == [8.5, 9.0]  # the annotation ends at 9.75 s: 10 and 10.5 s have none
    np.testing.assert_array_equal(late.x, tokens.x)


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(21, 60), min_size=1, max_size=4), seed=st.integers(0, 99), holes=st.floats(0, 0.9),
    absent=st.booleans(),
)  # fmt: skip
def test_ragged_trials_with_holes(lengths, seed, holes, absent):
    """Whatever is missing: finite tokens, zero where masked, masks that say what was recorded, offsets that add up."""
    rng = np.random.default_rng(seed)
    facts = info(
        Modality("a", ("a1", "a2"), 5.0, "a.u.", "values"),
        Modality("b", ("b",), 10.0, "a.u.", "values", "none"),
        per_token=True,
    )
    trials = []
    for i, n in enumerate(lengths):
        a, b = rng.standard_normal((2, n)), rng.standard_normal((1, 2 * n))
        a[rng.random(a.shape) < holes] = np.nan
        signals = {"a": Signal(a, 5.0)} | ({} if absent else {"b": Signal(b, 10.0, 1.0)})
        times = np.arange(n) / 5
        trials.append(Trial("s1", "1", f"t{i}", "v", n / 5, signals, rng.random((n, 1)), times))
    tokens, quality = prepare.prepare_subject(facts, trials, ("y",), OPTIONS)
    expected = [int(np.floor((n / 5 - 2) * 2 + 1e-9)) + 1 for n in lengths]
    assert np.diff(tokens.offsets).tolist() == expected
    assert np.isfinite(tokens.x).all()
    assert (tokens.x[:, :2][~tokens.mask[:, 0]] == 0).all()
    assert (tokens.x[:, 2][~tokens.mask[:, 1]] == 0).all()
    assert quality["a"]["present"] == tokens.mask[:, 0].sum()
    if absent:
        assert not tokens.mask[:, 1].any()
    else:  # recorded from 1 s on: tokens whose window begins earlier are absent
        early = tokens.time - 1 < 1 - 1e-6
        assert not tokens.mask[early, 1].any()
        assert tokens.mask[~early, 1].all()


def test_a_data_set_gets_only_the_sections_its_recipes_use():
    run = Config(datasets=["deap_twin", "dreamer_twin", "esports_twin"])
    assert set(run.feature_options("deap_twin")) == {"eeg", "gsr", "quality", "normalise"}
    assert set(run.feature_options("dreamer_twin")) == {"eeg", "quality", "normalise"}
    assert set(run.feature_options("esports_twin")) == {"quality", "normalise"}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"editions": {"deap_twin": "rwa"}}, "editions.deap_twin: there is no 'rwa'; did you mean 'raw'"),
        ({"editions": {"case": "interpolated"}}, "'case' is not in datasets"),
        ({"annotator_lag": {"deap_twin": 1.0}}, "its labels are per trial"),
        ({"annotator_lag": {"deap_twin": -1.0}}, "annotator_lag.deap_twin"),
        ({"dataset_options": {"dreamer_twin": {"flip_dominence": True}}}, "did you mean 'flip_dominance'"),
        ({"dataset_options": {"dreamer_twin": {"flip_dominance": "yes"}}}, "expected a bool, got 'yes'"),
        ({"features": {"eeg": {"filter": "local"}}}, "features.eeg.filter"),
        ({"features": {"baseline": 0.5}}, "features.baseline"),
        ({"features": {"normalisation": "calibration"}}, "needs features.calibration_trials of 1 or more"),
        ({"features": {"calibration_trials": 14}}, "14 leave no trial of deap_twin, which has 14"),
    ],
)
def test_wrong_settings_are_one_line(raw, message):
    from himoe.types import HimoeError

    with pytest.raises(HimoeError) as caught:
        load_config(raw)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
