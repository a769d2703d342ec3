"""Tokens from arrays of one's own, worked by hand; what does not agree is told in one line."""

from __future__ import annotations

import numpy as np
import pytest

import himoe
from himoe.types import Layout


def test_two_trials_of_different_length_by_hand():
    eeg = [[[1.0, 2], [3, np.nan], [5, 6]], [[7.0, 8]]]
    gsr = [[[10.0], [20], [30]], [[np.nan]]]
    tokens = himoe.make_tokens(
        {"eeg": eeg, "gsr": gsr}, y=[[1, 2], [3, np.nan]], subject=["ann", "bob"], stimulus=["film", "film"], token_rate=4,
        features={"eeg": ["alpha", "beta"]},
    )  # fmt: skip
    assert tokens.x.tolist() == [[1, 2, 10], [0, 0, 20], [5, 6, 30], [7, 8, 0]]  # 0 where absent
    assert tokens.mask.tolist() == [[True, True], [False, True], [True, True], [True, False]]
    assert tokens.time.tolist() == [0, 0.25, 0.5, 0]
    assert tokens.offsets.tolist() == [0, 3, 4]
    np.testing.assert_array_equal(tokens.y, [[1, 2], [1, 2], [1, 2], [3, np.nan]])
    assert tokens.layout == Layout(("eeg", "gsr"), (("alpha", "beta"), ("0",)), ("valence", "arousal"), 4.0, False)
    assert [(t.subject, t.trial, t.stimulus) for t in tokens.trials] == [("ann", "0000", "film"), ("bob", "0001", "film")]


def test_ratings_of_every_token():
    tokens = himoe.make_tokens({"eeg": np.zeros((2, 3, 1))}, y=np.arange(6.0).reshape(2, 3, 1))
    assert tokens.layout.per_token
    assert tokens.layout.targets == ("target 0",)
    assert tokens.y[:, 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_as_many_targets_as_tokens_are_named():
    tokens = himoe.make_tokens({"eeg": np.zeros((2, 3, 1))}, y=[[1, 2, 3], [4, 5, 6]], targets=["a", "b", "c"])
    assert not tokens.layout.per_token
    assert tokens.y[:3].tolist() == [[1, 2, 3]] * 3


def test_equal_content_has_equal_digests_and_blank_trials_are_no_copies():
    x = np.stack([np.ones((3, 1)), np.ones((3, 1)), np.full((3, 1), np.nan), np.full((3, 1), np.nan)])
    digests = [t.digest for t in himoe.make_tokens({"eeg": x}).trials]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"x": {}}, "there is no trial"),
        ({"x": {"eeg": np.zeros((2, 3))}}, r"eeg: a trial of shape \(3,\), expected \(n_tokens, n_features\)"),
        ({"x": {"eeg": np.full((2, 3, 1), np.inf)}}, "eeg has an infinite value"),
        ({"x": {"eeg": np.zeros((2, 3, 1)), "gsr": np.zeros((2, 4, 1))}}, "gsr has 2 trials of 8 tokens, eeg 2 of 6"),
        ({"x": {"eeg": [np.zeros((3, 1)), np.zeros((3, 2))]}}, "eeg has another number of features in some trials"),
        ({"x": {"eeg": np.full((2, 3, 1), -1e39)}}, r"eeg has an infinite value, or one above 3\.4e\+38"),
        ({"y": [[1e39], [0]]}, r"y has an infinite value, or one above 3\.4e\+38"),
        ({"y": np.zeros((2, 3))}, r"y has 3 ratings of each trial of 3 tokens: name 3 targets .*; write \(2, 3, 1\) where"),
        ({"y": [[1.0, 2]]}, r"y: expected \(2 trials, targets\)"),
        ({"y": [np.zeros((3, 1)), np.zeros((4, 1))]}, "y has ratings of 7 tokens, x has 6"),
        ({"y": [[np.inf], [0]]}, "y has an infinite value"),
        ({"x": {"eeg": np.ones((2, 3, 1)) > 0}}, "eeg: values of type bool, expected real numbers"),
        ({"x": {"eeg": np.ones((2, 3, 1)) + 1j}}, "eeg: values of type complex128, expected real numbers"),
        ({"y": [["1"], ["2"]]}, "y: values of type <U1, expected real numbers"),
        ({"subject": ["a"]}, "subject: 1 names for 2 trials"),
        ({"targets": ["joy"], "y": np.zeros((2, 2))}, "1 targets named for 2"),
        ({"features": {"eeg": ["a", "b"]}}, "eeg has 1 features, 2 are named"),
        ({"token_rate": 0.0}, "token_rate 0 Hz"),
    ],
)
def test_what_does_not_agree(arguments, said):
    with pytest.raises(himoe.HimoeError, match=f"make_tokens: {said}"):
        himoe.make_tokens(**({"x": {"eeg": np.zeros((2, 3, 1))}} | arguments))


def test_a_simulation_s_settings_are_checked():
    with pytest.raises(himoe.HimoeError, match=r"simulate\.snrr: unknown key; did you mean 'snr'\?"):
        himoe.simulate(snrr=1)
    with pytest.raises(himoe.HimoeError, match=r"simulate\.subjects: .*less than or equal to 40"):
        himoe.simulate(people=41)
