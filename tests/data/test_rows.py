"""Rows worked by hand: gaps filled within a trial, tokens around a token, means over trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from himoe.data.rows import to_rows
from himoe.types import Layout, Tokens, TrialInfo
from tests.conftest import make_tokens

GAP = np.nan  # of the first modality, in `tokens_of`


def tokens_of(*trials, per_token=True, rate=2.0):
    """Tokens of two modalities; the first has one feature with these values, the second, of two features, is always there."""
    x = np.concatenate([np.asarray(t, float) for t in trials])
    mask = np.stack([np.isfinite(x), np.ones(len(x), bool)], axis=1)
    values = np.stack([np.nan_to_num(x), np.arange(len(x)), -np.arange(len(x))], axis=1).astype(np.float32)
    layout = Layout(("a", "b"), (("a0",), ("b0", "b1")), ("valence",), rate, per_token)
    infos = tuple(TrialInfo("s0", "1", f"t{i}", f"v{i}", str(i)) for i in range(len(trials)))
    offsets = np.cumsum([0, *map(len, trials)])
    return Tokens(values, mask, np.zeros(len(x), np.float32), np.zeros((len(x), 1), np.float32), offsets, infos, layout)


def test_gaps_are_filled_linearly_and_held_at_the_ends_of_a_trial():
    """Trial 2 begins with a gap: held at its own first token, 8, not drawn from trial 1's last, 5; trial 3 has none of it."""
    rows = to_rows(tokens_of([1, GAP, GAP, 4, GAP, 5, GAP], [GAP, GAP, 8, GAP, 6], [GAP, GAP], [GAP, 7]))
    expected = [1, 2, 3, 4, 4.5, 5, 5, 8, 8, 8, 7, 6, 0, 0, 7, 7]
    np.testing.assert_allclose(rows.filled[:, 0], expected)
    np.testing.assert_array_equal(rows.filled[:, 1:], rows.x[:, 1:])
    np.testing.assert_array_equal(rows.ever()[:, 0], np.repeat([True, True, False, True], [7, 5, 2, 2]))
    assert rows.ever()[:, 1].all()
    np.testing.assert_array_equal(rows.x[:4, 0], [1, 0, 0, 4])  # as recorded


def test_what_stands_in_a_gap_is_not_read():
    tokens = make_tokens(per_token=True)
    columns = np.repeat(tokens.mask, [3, 2], axis=1)
    dirty = replace(tokens, x=np.where(columns, tokens.x, np.inf).astype(np.float32))
    np.testing.assert_array_equal(to_rows(dirty).filled, to_rows(tokens).filled)


def test_a_trial_is_filled_as_if_it_were_alone():
    tokens = make_tokens(per_token=True)
    alone = np.concatenate([to_rows(tokens.select([i])).filled for i in range(len(tokens.trials))])
    np.testing.assert_array_equal(to_rows(tokens).filled, alone)


def test_a_trials_mean_counts_every_moment_alike():
    """Present: 0 and, 4 tokens later, 4: 0, 1, 2, 3, 4, 4; the mean of what is present is (0 + 4 + 4) / 3."""
    rows = to_rows(tokens_of([0, GAP, GAP, GAP, 4, 4], [GAP, GAP], per_token=False))
    np.testing.assert_allclose(rows.filled[:, 0], [14 / 6, 0])
    np.testing.assert_allclose(rows.x[:, 0], [8 / 3, 0])
    np.testing.assert_allclose(rows.presence[:, 0], [0.5, 0])
    np.testing.assert_array_equal(rows.ever()[:, 0], [True, False])


def test_neighbours_never_lie_in_another_trial():
    rows = to_rows(tokens_of([10, 11, 12], [20, 21], [30]))
    seen = {lag: rows.filled[rows.at(lag), 0].tolist() for lag in (-2, -1, 0, 1, 5)}
    assert seen == {
        -2: [10, 10, 10, 20, 20, 30], -1: [10, 10, 11, 20, 20, 30], 0: [10, 11, 12, 20, 21, 30],
        1: [11, 12, 12, 21, 21, 30], 5: [12, 12, 12, 21, 21, 30],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rate", "seconds", "step", "lags"),
    [
        (2, 2, 1, [-4, -2, 0, 2, 4]), (2, 2, 0.5, [-4, -3, -2, -1, 0, 1, 2, 3, 4]), (1, 2, 0.5, [-2, -1, 0, 1, 2]),
        (2, 2.5, 1, [-4, -2, 0, 2, 4]), (2, 0, 1, [0]), (2, 1, 0, [-2, -1, 0, 1, 2]), (0.1, 2, 1, [0]),
    ],
)  # fmt: skip
def test_lags_are_whole_tokens(rate, seconds, step, lags):
    assert to_rows(tokens_of([1, 2, 3], rate=rate)).lags(seconds, step).tolist() == lags


def test_a_whole_trial_has_no_neighbours():
    rows = to_rows(tokens_of([1, 2, 3], [4, 5], per_token=False))
    assert rows.lags(2, 1).tolist() == [0]
    assert rows.at(1).tolist() == [0, 1]
