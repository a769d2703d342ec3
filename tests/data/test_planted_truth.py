"""Planted data sets: what is planted is there, in the amount that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from himoe import registry
from himoe.config.facts import dataset_info
from himoe.config.load import load_config
from himoe.config.sections import Planted
from himoe.data import simulate
from himoe.data.tokens import read_tokens
from himoe.datasets import _planted
from himoe.io import read_json
from himoe.types import HimoeError

PLUGIN = registry.load("datasets", "planted")


def made(per_token=True, **settings):
    planted = Planted(**{"subjects": 3, "trials": 6, "seconds": 40, "timescale": 2, **settings})
    return PLUGIN.tokens(PLUGIN.INFO.subjects[: planted.subjects], planted, per_token)


def joined(tokens):
    return np.concatenate([t.x for t in tokens.values()]), np.concatenate([t.y for t in tokens.values()])


def explained(x, y):
    """Share of each column's variance that a linear map of the labels explains."""
    design = np.column_stack([y, np.ones(len(y))])
    rest = x - design @ np.linalg.lstsq(design, x, rcond=None)[0]
    return 1 - rest.var(0) / x.var(0)


def test_tokens_are_as_every_data_set_has_them():
    tokens, truth = made()
    person = tokens["p01"]
    assert person.x.shape == (6 * 77, 46)  # (40 - 2) * 2 + 1 windows of 2 s
    assert person.layout.slices["gsr"] == slice(16, 22)
    np.testing.assert_allclose(person.x.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(person.x.std(0), 1, atol=1e-5)
    assert (person.y >= 1).all()
    assert (person.y <= 9).all()
    assert len({t.digest for t in person.trials}) == 6
    assert truth["informative"] == dict.fromkeys(person.layout.modalities, 1.0)


def test_signal_to_noise_is_the_one_asked_for():
    """A feature that follows at once: labels explain snr / (1 + snr) of it, but for what rating noise and windows blur."""
    for snr in (0.0, 1.0, 4.0):
        tokens, _ = made(snr=snr, subject_effect=0, trials=20, timescale=8)
        x, y = joined(tokens)
        found = explained(x[:, :16], y).mean()  # EEG
        assert found == pytest.approx(snr / (1 + snr), abs=0.1), snr


def test_a_modality_without_information_has_none():
    tokens, truth = made(informative={"pupil": 0}, trials=20)
    x, y = joined(tokens)
    assert truth["informative"]["pupil"] == 0
    assert explained(x, y)[-6:].max() < 0.02
    assert explained(x, y)[:16].min() > 0.1


def test_a_planted_lag_is_there():
    """Features of a trial are those of the same trial without lag, moved by as many tokens."""
    still, _ = made(snr=1e6, subjects=3)
    moved, truth = made(snr=1e6, subjects=3, lag=3)
    for trial in range(6):
        lag = truth["lag"]["p01"][f"v{trial + 1:02d}"]["emg"]
        k = round(2 * lag)
        a, b = (t["p01"].x[77 * trial : 77 * (trial + 1), t["p01"].layout.slices["emg"]] for t in (still, moved))
        a, b = (a[: 77 - k], b[k:]) if k >= 0 else (a[-k:], b[: 77 + k])
        assert np.corrcoef(a[:, 0], b[:, 0])[0, 1] > 0.99, lag
    assert any(v for trial in truth["lag"]["p01"].values() for v in trial.values())


def test_skin_conductance_responds_late():
    """Skin conductance follows through its response: best correlated with labels of one to four seconds before."""
    tokens, _ = made(snr=1e6, trials=20, subject_effect=0)
    lags = []
    for k in range(12):
        pairs = [(t.x[a + k : a + 77, 16:22], t.y[a : a + 77 - k]) for t in tokens.values() for a in range(0, len(t.x), 77)]
        x, y = (np.concatenate(part) for part in zip(*pairs, strict=True))
        lags.append(explained(x, y).mean())
    assert 1 <= np.argmax(lags) / 2 <= 4


def test_gaps_take_the_share_asked_for_and_leave_nothing():
    tokens, _ = made(gaps=0.3, trials=40)
    lost = np.concatenate([~t.mask for t in tokens.values()])
    assert lost.mean() == pytest.approx(0.3, abs=0.04)
    person = tokens["p01"]
    assert not person.x[~np.repeat(person.mask, [len(f) for f in person.layout.features], axis=1)].any()
    assert lost[1:][lost[:-1]].mean() > 0.85  # outages are runs, not single tokens


def test_a_person_rates_with_a_bias_where_trials_are_rated():
    """Nothing else changes, and a trace of every moment has none."""
    (plain, _), (biased, _) = (made(per_token=False, rating_bias=b, subjects=20, subject_effect=0) for b in (0.0, 1.0))
    shifts = []
    for name, person in plain.items():
        np.testing.assert_array_equal(person.x, biased[name].x)
        within = (biased[name].y > 1) & (biased[name].y < 9) & (person.y > 1) & (person.y < 9)
        moved = np.where(within, biased[name].y - person.y, np.nan)
        np.testing.assert_allclose(np.nanstd(moved, axis=0), 0, atol=1e-5)
        shifts.append(np.nanmean(moved, axis=0))
        assert biased[name].y.min() >= 1
        assert biased[name].y.max() <= 9
    assert 0.7 < np.std(shifts) < 1.3
    traces = (made(rating_bias=b)[0]["p01"].y for b in (0.0, 1.0))
    np.testing.assert_array_equal(*traces)


def test_clusters_lie_in_their_quadrants():
    tokens, truth = made(clusters=4, trials=8, subject_effect=0)
    for name, cluster in truth["cluster"].items():
        at = next(i for i, t in enumerate(tokens["p01"].trials) if t.trial == name)
        mean = tokens["p01"].y[77 * at : 77 * (at + 1)].mean(0) - 5
        angle = np.degrees(np.arctan2(mean[1], mean[0])) % 360
        assert int(angle // 90) == cluster


def test_conflict_drift_and_states_weaken_the_link_to_the_labels():
    x, y = joined(made(snr=1e6, subject_effect=0, trials=12)[0])
    whole = explained(x, y)[:16].mean()
    for change in ({"conflict": 0.5}, {"drift": 8}, {"state_dependent": True}):
        x, y = joined(made(snr=1e6, subject_effect=0, trials=12, **change)[0])
        assert explained(x, y)[:16].mean() < whole - 0.1, change


def test_stimuli_that_are_not_shared_tell_nothing_of_others():
    """Labels of two people go together where they meet the same stimuli, and only there."""
    for shared, low, high in ((True, 0.5, 1.0), (False, -0.25, 0.25)):
        tokens, _ = made(shared_stimuli=shared, trials=40)
        assert low < np.corrcoef(tokens["p01"].y[:, 0], tokens["p02"].y[:, 0])[0, 1] < high


@pytest.mark.parametrize("shared", [True, False])
def test_processes_change_no_bit(shared):
    settings, names = Planted(trials=3, seconds=20, lag=2, gaps=0.2, shared_stimuli=shared), PLUGIN.INFO.subjects[:3]
    (alone, truth), (together, same) = (PLUGIN.tokens(names, settings, False, threads) for threads in (1, 2))
    assert truth == same
    for name in names:
        assert alone[name].trials == together[name].trials  # digests of x and mask
        np.testing.assert_array_equal(alone[name].y, together[name].y)


def test_one_label_per_trial():
    person = made(per_token=False)[0]["p01"]
    assert not person.layout.per_token
    assert all(len(np.unique(person.y[a:b], axis=0)) == 1 for a, b in zip(person.offsets[:-1], person.offsets[1:], strict=True))


def test_pink_noise_falls_with_frequency():
    noise = _planted.pink((50, 4096), np.random.default_rng(0))
    power = (np.abs(np.fft.rfft(noise)) ** 2).mean(0)
    slope = np.polyfit(np.log(np.arange(1, 2000)), np.log(power[1:2000]), 1)[0]
    assert slope == pytest.approx(-1, abs=0.05)


def test_files_are_those_that_preparation_leaves(tmp_path):
    settings = Planted(subjects=3, trials=2, seconds=20).model_dump()
    simulate.simulate("planted_rated-x", settings, tmp_path)
    stored = read_tokens(tmp_path / "subjects/p02.npz")
    assert not stored.layout.per_token
    assert read_json(tmp_path / "truth.json")["dataset"] == "planted_rated-x"
    assert list(read_json(tmp_path / "manifest.json")["records"]) == ["p01", "p02", "p03"]
    again = tmp_path / "again"
    simulate.simulate("planted_rated-x", settings, again)
    assert read_tokens(again / "subjects/p02.npz").trials == stored.trials


def test_replicates_differ_and_names_are_checked():
    raw = {"datasets": ["planted-null.0", "planted-null.1"], "planted": {"null": {"snr": 0, "models": ["himoe"]}}}
    run = load_config(raw)
    assert run.planted_of("planted-null.1").seed == run.planted_of("planted-null.0").seed + 1
    assert run.models_of("planted-null.0", "loso") == ["himoe"]
    assert dataset_info("planted_rated-null").per_token is False
    for wrong, message in (
        ({"datasets": ["planted-nul"]}, "did you mean 'null'"),
        ({"datasets": ["planted-null.x"]}, "a replicate is a number"),
        ({"planted": {"null": {"models": ["himo"]}}}, "did you mean 'himoe'"),
        ({"planted": {"null": {"informative": {"pupils": 1}}}}, "did you mean 'pupil'"),
        ({"datasets": ["planted"]}, "valid names: null"),
        ({"datasets": ["planted-null.00"]}, "a replicate is a number"),
        ({"datasets": ["deap_rated"]}, "only planted data sets"),
        ({"datasets": ["deap-x"]}, "variants: there is no 'x'"),
        ({"targets": {"planted-null.0": ["valence"]}}, "planted data sets such as planted-null.0 have both targets"),
    ):
        with pytest.raises(HimoeError, match=message):
            load_config(raw | wrong)
