"""Comparison, metrics, folds, conditions and features of the public interface: beyond their examples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import himoe
from himoe.evaluate.conditions import under_condition
from tests.conftest import make_tokens

LEADS = np.array([[0.1, 0.3], [0.2, 0.2], [0.3, 0.1], [0.2, 0.4]])  # 4 people, 2 seeds


def test_a_table_of_scores_and_arrays_give_the_same_comparison():
    values = {"himoe": 0.1 + LEADS, "ridge": np.full((4, 2), 0.1)}
    rows = [
        ("own", "loso", model, seed, f"s{person}", "clean", 0.0, "valence", "ccc", of[person, seed])
        for model, of in values.items() for person in range(4) for seed in range(2)
    ]  # fmt: skip
    columns = ["dataset", "protocol", "model", "seed", "subject", "condition", "severity", "target", "metric", "value"]
    by_table = himoe.stats.compare(pd.DataFrame(rows, columns=columns)).iloc[0]
    by_array = himoe.stats.compare(values).iloc[0]
    assert by_table["setting"] == "own"
    same = ["difference", "low", "high", "p", "p_holm", "d", "detectable", "n_subjects", "n_seeds"]
    assert by_table[same].astype(float).tolist() == pytest.approx(by_array[same].astype(float).tolist())
    assert by_array["difference"] == pytest.approx(1.8 / 8)


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
    found = himoe.stats.judge({"himoe": himoe_s, "weak": np.full(8, 0.1), "strong": np.full(8, 0.4)})
    assert (found.word, found.closest) == (word, closest)
    assert found.lead == pytest.approx(np.mean(himoe_s) - 0.4)
    assert found.low <= found.lead <= found.high


def test_predicting_nothing_is_a_rival():
    found = himoe.stats.judge({"himoe": -0.1 - 0.01 * np.arange(6), "worse": np.full(6, -0.9)})
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


def test_conditions_are_those_of_the_workflow():
    """The same tokens are lost as in a run with the same seed; the source stays as it was."""
    tokens = make_tokens(per_token=True)
    before = tokens.mask.copy()
    for name, severity in (("missing_rate", 0.4), ("shift", 2.0)):
        theirs = under_condition(tokens, name, [0, severity], 5)[severity].tokens
        ours = himoe.conditions.apply(tokens, name, severity, seed=5)
        for part in ("x", "mask", "y"):
            np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))
    assert np.array_equal(tokens.mask, before)
    assert himoe.conditions.apply(tokens, "missing_rate", 0).x is tokens.x


def test_conditions_that_cannot_be():
    with pytest.raises(himoe.HimoeError, match=r"there is no 'shiftt'; did you mean 'shift'\?"):
        himoe.conditions.apply(make_tokens(), "shiftt", 1)
    with pytest.raises(himoe.HimoeError, match=r"eeg_channels: severity 0\.5 is not possible here"):
        himoe.conditions.apply(make_tokens(), "eeg_channels", 0.5)
    with pytest.raises(himoe.HimoeError, match="missing_rate: it displaces no modality as a whole"):
        himoe.conditions.injected_lags(make_tokens(), "missing_rate", 0.5)


@pytest.mark.parametrize("recipe", himoe.features.recipes())
def test_every_recipe_gives_a_column_for_each_name(recipe):
    data = 1e-5 * (1 + np.abs(np.random.default_rng(0).standard_normal((2, 256 * 20))))
    table = himoe.features.extract(
        data[: 2 if recipe in ("eeg_de", "eog", "emg", "values") else 1], 256, recipe, token_rate=1.0
    )
    assert len(table) == 19
    assert table.index[0] == 1.0  # the centre of the first window of 2 s


def test_recordings_that_cannot_be():
    with pytest.raises(himoe.HimoeError, match="there is no recipe 'egg'"):
        himoe.features.extract(np.zeros(1000), 100, "egg")
    with pytest.raises(himoe.HimoeError, match="gsr needs 8 s, the recording has 5"):
        himoe.features.extract(np.zeros(500), 100, "gsr")
    with pytest.raises(himoe.HimoeError, match="1 channels are named, the recording has 2"):
        himoe.features.extract(np.zeros((2, 1000)), 100, "values", channels=["a"])
