"""Comparison, metrics, folds, conditions and features of the public interface: beyond their examples."""

from __future__ import annotations

import zlib

import numpy as np
import pandas as pd
import pytest

import himoe
from tests.conftest import make_tokens

COLUMNS = ["dataset", "protocol", "model", "seed", "subject", "condition", "severity", "target", "metric", "value"]
LEADS = np.array([[0.1, 0.3], [0.2, 0.2], [0.3, 0.1], [0.2, 0.4]])  # 4 people, 2 seeds


def test_a_table_of_scores_and_arrays_give_the_same_comparison():
    values = {"himoe": 0.1 + LEADS, "ridge": np.full((4, 2), 0.1)}
    rows = [
        ("own", "loso", model, seed, f"s{person}", "clean", 0.0, "valence", "ccc", of[person, seed])
        for model, of in values.items() for person in range(4) for seed in range(2)
    ]  # fmt: skip
    by_table = himoe.stats.compare(pd.DataFrame(rows, columns=COLUMNS)).iloc[0]
    by_array = himoe.stats.compare(values).iloc[0]
    assert by_table["setting"] == "own"
    same = ["difference", "low", "high", "p", "p_holm", "d", "detectable", "n_subjects", "n_seeds"]
    assert by_table[same].astype(float).tolist() == pytest.approx(by_array[same].astype(float).tolist())
    assert by_array["difference"] == pytest.approx(1.8 / 8)


def table(*models):
    """Scores of one seed: the first model's CCC is 0.4, 0.5, 0.6, 0.5 of its people, each other one's less by LEADS."""
    rows = [
        ("own", "loso", model, 0, f"s{person}", "clean", 0.0, "valence", "ccc", value)
        for number, model in enumerate(models)
        for person, value in enumerate(np.array([0.4, 0.5, 0.6, 0.5]) - (number > 0) * LEADS[:, 0])
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_a_table_s_ceilings_controls_and_ablations_are_no_rivals():
    """With one rival Holm multiplies nothing: p is p. With two it is twice the smaller one, here both equal."""
    scores = table(
        "himoe", "ridge", "himoe-flat", "ridge-shuffled_labels", "late_fusion-clean", "himoe-people_8", "rating_bias"
    )
    found = himoe.stats.compare(scores)
    assert found["other"].tolist() == ["ridge"]
    assert found["p_holm"].tolist() == found["p"].tolist()
    asked = himoe.stats.compare(scores, among=["himoe-flat", "ridge"])
    assert sorted(asked["other"]) == ["himoe-flat", "ridge"]
    assert asked["p_holm"].tolist() == pytest.approx((2 * found["p"].tolist()[0],) * 2)
    arrays = {"himoe": 0.1 + LEADS, "ridge": 0 * LEADS, "mine-tuned": 0 * LEADS}  # names of one's own arrays mean nothing
    assert himoe.stats.compare(arrays)["other"].tolist() == ["mine-tuned", "ridge"]
    assert himoe.stats.compare(arrays, among=["ridge"])["other"].tolist() == ["ridge"]


def test_arrays_of_any_metric_are_compared():
    found = himoe.stats.compare({"himoe": 0.1 + LEADS, "ridge": np.full((4, 2), 0.1)}, metric="skill")
    assert found[["metric", "difference"]].to_numpy().tolist() == [["skill", pytest.approx(1.8 / 8)]]


@pytest.mark.parametrize(
    ("change", "arguments", "said"),
    [
        (lambda t: t, {"metric": "cccc"}, r"there is no metric 'cccc'; did you mean 'ccc'\?; valid names: ccc"),
        (lambda t: t, {"model": "himo"}, "there is no model 'himo' among himoe, mult, ridge"),
        (lambda t: t, {"among": ["rigde"]}, "there is no model 'rigde' among himoe, mult, ridge"),
        (lambda t: t[t["model"] == "himoe"], {}, "nothing to hold 'himoe' against among himoe"),
        (lambda t: t.drop(index=5), {}, "scores of other people or seeds than those of himoe"),
        (lambda t: t.assign(seed=[*[0] * 11, 1]), {}, "scores of other people or seeds than those of himoe"),
        (lambda t: t.assign(condition="gaps"), {}, "no setting has scores of 'himoe' and of another model on clean input"),
        (lambda t: t.drop(columns="seed"), {}, "the table of scores has no column seed"),
    ],
)
def test_a_table_that_cannot_be_compared(change, arguments, said):
    with pytest.raises(himoe.HimoeError, match=f"^compare: .*{said}"):
        himoe.stats.compare(change(table("himoe", "ridge", "mult")), **arguments)


@pytest.mark.parametrize(
    ("himoe_s", "word", "closest"),
    [
        (0.5 + 0.01 * np.arange(8), "supported", "strong"),
        (0.3 + 0.01 * np.arange(8), "contradicted", "strong"),
        (0.4 + 0.001 * np.arange(8), "equivalent", "strong"),
        (0.4 + 0.2 * np.array([1, -1, 1, -1, 1, -1, 1, -1]), "inconclusive", "strong"),
    ],
)
def test_the_word_of_a_judgement(himoe_s, word, closest):
    values = {"himoe": himoe_s, "weak": np.full(8, 0.1), "strong": np.full(8, 0.4)}
    found = himoe.stats.judge(values, shared_networks=False)
    assert (found.word, found.closest) == (word, closest)
    assert found.lead == pytest.approx(np.mean(himoe_s) - 0.4)
    assert found.low <= found.lead <= found.high


def test_too_few_seeds_of_shared_networks_support_nothing():
    """As the report: the luck of a network that people share is in no interval of fewer than three seeds."""
    ahead = {"himoe": np.tile(0.5 + 0.01 * np.arange(8), (3, 1)).T, "ridge": np.full((8, 3), 0.4)}
    assert himoe.stats.judge(ahead)[0::5] == ("supported", "")
    two = {name: of[:, :2] for name, of in ahead.items()}
    found = himoe.stats.judge(two)
    assert (found.word, found.why[:36]) == ("inconclusive", "2 seed(s) of networks that people sh")
    assert found.lead == pytest.approx(0.135)
    assert himoe.stats.judge(two, shared_networks=False).word == "supported"


def test_what_failed_is_no_win():
    """Of the model itself, of the only rival, of one of two; who is behind another one stays behind."""
    level, lost = 0.5 + 0.01 * np.arange(8), np.r_[np.nan, np.full(7, 0.1)]

    def word(**values):
        return himoe.stats.judge(values, shared_networks=False).word

    assert word(himoe=lost, ridge=level) == word(himoe=level, ridge=lost) == "failed"
    assert word(himoe=level, mult=level - 0.2, ridge=lost) == "failed"
    assert word(himoe=level, mult=level + 0.2, ridge=lost) == "contradicted"
    found = himoe.stats.judge({"himoe": level, "mult": level - 0.2, "ridge": lost})
    assert (found.word, found.why) == ("failed", "values of ridge are not finite")
    assert found.lead == pytest.approx(0.2)


def test_predicting_nothing_is_a_rival():
    values = {"himoe": -0.1 - 0.01 * np.arange(6), "worse": np.full(6, -0.9)}
    found = himoe.stats.judge(values, shared_networks=False)
    assert (found.word, found.closest) == ("contradicted", "predicting nothing")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"himoe": [1, 2]}, "'himoe' and another model are needed, there is himoe"),
        ({"a": [1, 2], "b": [1, 2]}, "'himoe' and another model are needed, there is a, b"),
        ({"himoe": [1, 2], "b": [1, 2, 3]}, r"himoe \(2, 1\), b \(3, 1\): expected \(people, seeds\)"),
        ({"himoe": [1], "b": [1]}, "of the same 2 or more people"),
    ],
)
def test_values_that_cannot_be_compared(values, said):
    for function in (himoe.stats.compare, himoe.stats.judge):
        with pytest.raises(himoe.HimoeError, match=said):
            function(values)


def test_metrics_of_people_by_hand():
    """b: errors 1 and -1 about a mean of 2, so MSE 1, reference 2 too: skill 0; its rating of NaN is left out, c failed."""
    table = himoe.metrics.per_person(
        [1, 3, 1, 3, np.nan, 2, 4], [1, 3, 2, 2, 9, np.nan, 1], ["a", "a", "b", "b", "b", "c", "c"], reference=2.0
    )
    assert table.loc["a", ["ccc", "rmse", "skill"]].tolist() == [1, 0, 1]
    assert table.loc["b", ["ccc", "rmse", "mae", "skill", "constant"]].tolist() == [0, 1, 1, 0, 1]
    assert table.loc["c", "failed"] == 1
    assert np.isnan(table.loc["c", "ccc"])
    with pytest.raises(himoe.HimoeError, match="no rating is known"):
        himoe.metrics.per_person([np.nan], [1.0], ["a"])
    with pytest.raises(himoe.HimoeError, match=r"shapes \(2,\), \(1,\), \(2,\): expected \(n,\) of each"):
        himoe.metrics.per_person([1, 2], [1.0], ["a", "a"])


@pytest.mark.parametrize("protocol", ["loso", "subject_kfold", "subject_stimulus", "trial_kfold"])
def test_folds_keep_apart_what_the_protocol_says(protocol):
    tokens = make_tokens(n_subjects=6, n_trials=6)
    folds = himoe.splits.make_folds(tokens, protocol, n_folds=3, seed=1)
    for fold in folds:
        himoe.splits.check_split(fold, protocol)
    assert {key for fold in folds for key in fold.test} == {(t.subject, t.trial) for t in tokens.trials}


def test_a_protocol_with_a_typo():
    with pytest.raises(himoe.HimoeError, match=r"there is no protocol 'losso'; did you mean 'loso'\? valid names: loso"):
        himoe.splits.make_folds(make_tokens(), "losso")


def generator(condition, trial="s0/1/t0"):
    """What a run draws from for a trial: seed 5, and the names of the trial and of the condition."""
    return np.random.default_rng((5, zlib.crc32(f"{trial}/{condition}".encode())))


def test_what_is_lost_is_what_a_run_loses():
    """Each token of each modality whose number of the trial's generator is below the severity; the source stays as it was."""
    tokens = make_tokens(n_subjects=2, n_trials=1, per_token=True)
    before = tokens.mask.copy()
    found = himoe.conditions.apply(tokens, "missing_rate", 0.4, seed=5)
    there = np.concatenate([generator("missing_rate", f"s{i}/1/t0").random((24, 2)) >= 0.4 for i in (0, 1)])
    assert np.array_equal(found.mask, before & there)
    assert np.array_equal(found.x, np.where(np.repeat(found.mask, [3, 2], axis=1), tokens.x, 0))
    assert np.array_equal(found.y, tokens.y)
    assert np.array_equal(tokens.mask, before)
    assert himoe.conditions.apply(tokens, "missing_rate", 0).x is tokens.x


def test_what_is_displaced_is_what_a_run_displaces():
    """2 s at 2 Hz are 4 tokens, either way, of one of two modalities; labels of 4 tokens at each end do not hold."""
    tokens = make_tokens(n_subjects=1, n_trials=1, per_token=True)
    rng = generator("shift")
    late, by = int(2 * rng.random()), 4 * int(rng.choice([-1, 1]))
    found = himoe.conditions.apply(tokens, "shift", 2.0, seed=5)
    columns = [slice(0, 3), slice(3, 5)]
    assert np.array_equal(found.x[:, columns[late]], np.roll(tokens.x[:, columns[late]], by, axis=0))
    assert np.array_equal(found.x[:, columns[1 - late]], tokens.x[:, columns[1 - late]])
    assert np.array_equal(found.mask[:, late], np.roll(tokens.mask[:, late], by))
    assert np.flatnonzero(np.isfinite(found.y).all(axis=1)).tolist() == list(range(4, 20))
    lags = himoe.conditions.injected_lags(tokens, "shift", 2.0, seed=5)
    assert lags.tolist() == [[by / 2 * (m == late) for m in (0, 1)]]


def test_conditions_that_cannot_be():
    with pytest.raises(himoe.HimoeError, match=r"there is no 'shiftt'; did you mean 'shift'\?"):
        himoe.conditions.apply(make_tokens(), "shiftt", 1)
    for wrong in (1.5, -0.5, np.nan, np.inf):
        for function in (himoe.conditions.apply, himoe.conditions.injected_lags):
            with pytest.raises(himoe.HimoeError, match=r"^conditions\.missing_rate: severities are finite and from 0 to 1"):
                function(make_tokens(), "missing_rate", wrong)
    with pytest.raises(himoe.HimoeError, match=r"^conditions\.one_modality: severities are whole numbers \(got 0\.5\)"):
        himoe.conditions.apply(make_tokens(), "one_modality", 0.5)
    with pytest.raises(himoe.HimoeError, match=r"eeg_channels: severity 0\.5 is not possible here"):
        himoe.conditions.apply(make_tokens(), "eeg_channels", 0.5)
    with pytest.raises(himoe.HimoeError, match="missing_rate: it displaces no modality as a whole"):
        himoe.conditions.injected_lags(make_tokens(), "missing_rate", 0.5)


T = np.arange(256 * 20) / 256  # s
BEAT = 1e-3 * np.exp(-0.5 * (((T - 0.1) % 0.8 - 0.4) / 0.01) ** 2)  # every 0.8 s, V
DE, POWER = 0.5 * np.log(2 * np.pi * np.e * 0.5e-12), np.log(0.5e-12)  # of a wave of 1 uV, whose variance is 0.5 (uV)^2
KNOWN = {  # recipe -> a signal, and what the window from 9 to 11 s must show
    "eeg_de": (1e-6 * np.sin(2 * np.pi * 10 * T), {"a/alpha": DE}),
    "eeg_de_delta": (1e-6 * np.sin(2 * np.pi * 2.5 * T), {"a/delta": DE}),
    "emg": (1e-6 * np.sin(2 * np.pi * 50 * T), {"a": POWER}),
    "eog": (1e-6 * np.sin(2 * np.pi * 5 * T), {"a": POWER}),
    "gsr": (np.full_like(T, 1e-5), {"tonic": np.log(10), "phasic": 0, "responses": 0}),
    "ppg": (np.sin(2 * np.pi * 1.25 * T), {"rate": 75, "variability": 0, "amplitude": np.log(0.5) / 2}),
    "ecg": (BEAT, {"rate": 75, "variability": 0}),
    "respiration": (np.sin(2 * np.pi * 0.25 * T), {"rate": 15}),
    "temperature": (30 + 0.01 * T, {"level": 30.1, "slope": 0.01}),
    "values": (T, {"a": 10 - 1 / 512}),  # the mean of 512 samples, half a sample before the middle
    "log_values": (np.exp(T), {"a": 10 - 1 / 512}),
}


@pytest.mark.parametrize("recipe", himoe.features.recipes())
def test_every_recipe_by_hand(recipe):
    signal, expected = KNOWN[recipe]
    table = himoe.features.extract(signal, 256, recipe, channels=["a"], token_rate=1.0)
    assert table.index.tolist() == list(range(1, 20))  # the centres of windows of 2 s
    assert table.loc[10.0, [*expected]].to_dict() == pytest.approx(expected, rel=2e-3, abs=2e-3)


def test_recordings_that_cannot_be():
    with pytest.raises(himoe.HimoeError, match="there is no recipe 'egg'"):
        himoe.features.extract(np.zeros(1000), 100, "egg")
    with pytest.raises(himoe.HimoeError, match="gsr needs 8 s, the recording has 5"):
        himoe.features.extract(np.zeros(500), 100, "gsr")
    with pytest.raises(himoe.HimoeError, match="1 channels are named, the recording has 2"):
        himoe.features.extract(np.zeros((2, 1000)), 100, "values", channels=["a"])
