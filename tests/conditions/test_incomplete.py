"""Conditions that make a trial incomplete: which tokens are gone, worked by hand, and how many of them."""

from __future__ import annotations

import numpy as np
import pytest

from himoe import registry
from himoe.conditions import eeg_channels, gaps, modality_subset, one_modality
from himoe.config.run import Config
from himoe.data.prepare import prepare_subject
from himoe.data.views import with_samples
from himoe.types import DatasetInfo, Modality, Signal, Trial
from tests.conditions.perturbing import apply, severities, tokens_under, trial
from tests.conftest import make_tokens


@pytest.mark.parametrize(
    "name", ["missing_rate", "amplitude_lost", "motion_lost", "modalities_absent", "sensor_drop", "eeg_channels"]
)
def test_what_is_lost_at_a_low_severity_is_lost_at_a_higher_one(name):
    tokens = tokens_under(name)
    for i in range(4):
        mild, strong = (apply(name, tokens.select([i]), s, seed=i) for s in severities(name))
        assert not (strong.mask & ~mild.mask).any()
        assert not ((mild.x == 0) & (strong.x != 0)).any()


def test_subsets_by_number():
    assert modality_subset.subsets(1) == ((),)
    assert modality_subset.subsets(3) == ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2))
    of_six = modality_subset.subsets(6)
    assert len(of_six) == len(set(of_six)) == 63  # all but that of none
    assert max(map(len, of_six)) == 5
    of_seven = modality_subset.subsets(7)  # 62 // 6 of each size, where there are as many
    assert [sum(len(s) == size for s in of_seven) for size in range(8)] == [1, 7, 10, 10, 10, 10, 7, 0]
    left = apply("modality_subset", trial(3), 4).mask  # without the first and the second
    assert left[:, 2].all()
    assert not left[:, :2].any()


def test_one_modality_by_number():
    assert [one_modality.n_severities(n) for n in (1, 2, 3)] == [1, 3, 4]
    out = apply("one_modality", trial(3), 2)
    assert not out.mask[:, 1].any()
    assert out.mask[:, [0, 2]].all()
    assert not out.x[:, 2:4].any()


@pytest.mark.parametrize(("name", "begin"), [("modalities_absent", 0), ("sensor_drop", 12)])
def test_so_many_are_absent_from_there_on(name, begin):
    tokens = trial(5)
    tokens.mask[:, 4] = False  # it was not recorded: four are there
    for severity, left in ((1, 3), (3, 1), (4, 1)):  # the last one stays
        there = apply(name, tokens, severity).mask.sum(1)
        assert (there[:begin] == 4).all()
        assert (there[begin:] == left).all()
    gone = {tuple(apply(name, tokens, 2, seed).mask[-1]) for seed in range(40)}
    assert len(gone) == 6  # every pair of four


@pytest.mark.parametrize("seconds", [0.5, 1, 5, 20])
def test_gaps_are_so_long_and_take_as_much(seconds):
    """20 thousand tokens of four modalities at 2 Hz. 80 thousand tokens in gaps of L on average hold about 24000 / L gaps."""
    lost = gaps.draw(trial(4, 20_000), seconds, np.random.default_rng(0)).lost
    mean, n_gaps = 2 * seconds, np.count_nonzero(np.diff(lost.astype(int), axis=0) == 1) + lost[0].sum()
    assert lost.sum() / n_gaps == pytest.approx(mean, rel=3 / np.sqrt(n_gaps))
    assert lost.mean() == pytest.approx(0.3, abs=0.3 * 4 / np.sqrt(n_gaps))
    longer = np.corrcoef(lost[:-1, 0], lost[1:, 0])[0, 1]  # of a Markov chain: 1 - 1 / mean - 0.3 / (0.7 mean)
    assert longer == pytest.approx(1 - 1 / (0.7 * mean), abs=0.05)


def test_a_trial_may_begin_in_a_gap_and_as_much_is_lost_of_a_short_one():
    lost = np.stack([gaps.draw(trial(4), 20, np.random.default_rng(seed)).lost for seed in range(400)])
    assert lost[:, 0].mean() == pytest.approx(0.3, abs=0.04)  # 1600 draws: SD 0.012
    assert lost[:, -1].mean() == pytest.approx(0.3, abs=0.04)


def test_the_highest_tokens_are_lost():
    tokens = trial(2, n_times=10)
    tokens.x[:, 1] = tokens.x[:, 0]  # of the first modality both features count 0..9
    tokens.x[:, 2], tokens.x[:, 3] = -tokens.x[:, 0], 0  # the second one falls
    np.testing.assert_array_equal(np.flatnonzero(~apply("amplitude_lost", tokens, 0.3).mask[:, 0]), [7, 8, 9])
    np.testing.assert_array_equal(np.flatnonzero(~apply("amplitude_lost", tokens, 0.3).mask[:, 1]), [0, 1, 2])
    tokens.mask[9, 0], tokens.x[9, :2] = False, 0
    np.testing.assert_array_equal(np.flatnonzero(~apply("amplitude_lost", tokens, 0.3).mask[:, 0]), [6, 7, 8, 9])


def test_bursts_of_motion_take_all_but_motion():
    """Motion jumps by 5 at token 4 and by 15 at token 7 (there and nowhere else); token 0 has none before it."""
    tokens = make_tokens(1, 1, 10, features={"gsr": ("level",), "motion": ("x", "y"), "ecg": ("rate",)}, signal=0)
    tokens.mask[:] = True
    tokens.x[:, 1], tokens.x[:, 2] = [0, 0, 0, 0, 5, 5, 5, 20, 20, 20], 1
    for severity, gone in ((0.1, [7]), (0.2, [4, 7])):
        mask = apply("motion_lost", tokens, severity).mask
        assert mask[:, 1].all()
        for m in (0, 2):
            np.testing.assert_array_equal(np.flatnonzero(~mask[:, m]), gone)
    tokens.mask[7, 1] = False  # how it moved to 7 and from there nobody knows
    np.testing.assert_array_equal(np.flatnonzero(~apply("motion_lost", tokens, 0.1).mask[:, 0]), [4])


def test_without_motion_bursts_are_of_amplitude():
    tokens = trial(2, n_times=10)
    tokens.x[:] = np.array([0, 0, 9, 0, 0, 4, 0, 0, 0, 0])[:, None]
    mask = apply("motion_lost", tokens, 0.2).mask
    np.testing.assert_array_equal(np.flatnonzero(~mask.any(1)), [2, 5])
    assert mask.all(1).sum() == 8


INFO = DatasetInfo(
    "", "", "", "", (), ("s1",), 1, 16.0,
    (Modality("eeg", ("Fp1", "Fp2", "Cz", "Pz"), 128.0, "V", "eeg_de"), Modality("gsr", ("gsr",), 2.0, "S", "values")),
    ("valence",), ("valence",), (1.0, 9.0), False, 2.0, 2.0,
)  # fmt: skip


def recorded(lost=()):
    """A person's three trials of 16 s with 4 s before them, as prepared: tokens and recordings; some channels are dead."""
    rng, trials = np.random.default_rng(0), []
    for i in range(3):
        data = rng.standard_normal((4, 20 * 128)) * 1e-5 * (1 + rng.random((4, 1)))
        data[[INFO.modalities[0].channels.index(name) for name in lost]] = 0.0
        signals = {"eeg": Signal(data, 128.0, -4.0), "gsr": Signal(rng.standard_normal((1, 32)), 2.0)}
        trials.append(Trial("s1", "1", f"t{i}", f"t{i}", 16.0, signals, np.array([5.0])))
    options = Config().feature_options("deap_twin")
    options["normalise"] = {"by": "session", "trials": 0}
    return prepare_subject(INFO, trials, ("valence",), options)[0], trials


@pytest.mark.parametrize(("severity", "n_lost"), [(0.25, 1), (0.5, 2), (0.75, 3), (1.0, 4)])
def test_lost_channels_are_as_if_the_features_were_computed_without_them(severity, n_lost):
    tokens, trials = recorded()
    assert tokens.baseline is not None
    channels = INFO.modalities[0].channels
    lost = [channels[i] for i in np.random.default_rng(5).permutation(4)[:n_lost]]
    again, _ = recorded(lost)
    got = eeg_channels.apply(tokens, severity, np.random.default_rng(5))
    np.testing.assert_array_equal(got.mask, again.mask)
    np.testing.assert_array_equal(got.x, again.x)
    if n_lost <= 2:  # of what is absent throughout no level is subtracted
        np.testing.assert_array_equal(got.baseline, again.baseline)
    samples = eeg_channels.apply(with_samples(tokens, trials, "eeg", 64), severity, np.random.default_rng(5))
    np.testing.assert_array_equal(samples.mask, got.mask)
    silent = ~samples.x[:, :-1].reshape(len(samples.x), 4, 64).any((0, 2))
    gone = set(lost) if n_lost <= 2 else set(channels)  # with fewer than half of them left, all
    assert {c for c, none in zip(channels, silent, strict=True) if none} == gone


def test_a_condition_that_needs_a_modality_has_no_severities_without_it():
    config = Config(datasets=["dreamer_twin"], conditions={"eeg_channels": [0, 0.5], "modality_subset": [0, 1, 2, 3, 62]})
    assert config.conditions_of("dreamer_twin", "loso") == {"eeg_channels": [0, 0.5], "modality_subset": [0, 1, 2]}
    for other in ("ceap", "esports"):  # no EEG at all, and one of which only band powers were recorded
        assert "eeg_channels" not in config.model_copy(update={"datasets": [other]}).conditions_of(other, "loso")
    counting = [c for c in registry.available("conditions") if "n_severities" in registry.peek("conditions", c)["functions"]]
    for name in counting:  # with one modality nothing can be absent
        assert registry.load("conditions", name).n_severities(1) == 1
