"""1-nearest neighbour: distances worked by hand, copies found, the same whatever the block."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.data.rows import Rows
from himoe.models import nearest

OWNER = np.array([0, 0, 1])


def rows(x, presence, y=None):
    n = len(x)
    y = np.zeros((n, 2)) if y is None else np.asarray(y, np.float32)
    x, names = np.array(x, float), (np.full(n, "t", object), np.full(n, "s", object))
    return Rows(x, np.array(presence, float), *names, OWNER, x, y=y)


def many(n, seed, y=True):
    rng = np.random.default_rng(seed)
    return rows(rng.standard_normal((n, 3)), rng.random((n, 2)) < 0.7, rng.standard_normal((n, 2)) if y else None)


def test_distances_by_hand():
    """Query: (1, 2 | 3), both modalities. Against (2, 4 | 6): (1 + 4 + 9) / 3. Against (4, 6 | absent): (9 + 16) / 2.
    Against (absent | 5): 4 / 1. Against nothing at all: inf."""
    queries = nearest.prepare(np.array([[1.0, 2, 3]]), np.array([[1.0, 0.5]]), OWNER)
    other = np.array([[2.0, 4, 6], [4, 6, 99], [np.nan, np.inf, 5], [7, 7, 7]])
    kept = nearest.prepare(other, np.array([[1, 1], [1, 0], [0, 1], [0, 0]]), OWNER)
    expected = [[14 / 3, 25 / 2, 4.0, np.inf]]
    np.testing.assert_allclose(nearest.distances(queries, kept, np.array([2, 1])), expected, atol=1e-12)


def test_distances_are_those_of_a_loop():
    a, b = many(9, 0), many(7, 1)
    got = nearest.distances(*(nearest.prepare(r.x, r.presence, OWNER) for r in (a, b)), np.array([2, 1]))
    for i, j in np.ndindex(9, 7):
        shared = (a.presence[i] * b.presence[j])[OWNER] > 0
        gap = (a.x[i].astype(np.float32) - b.x[j].astype(np.float32))[shared].astype(float) ** 2
        assert got[i, j] == (pytest.approx(gap.mean(), abs=1e-6) if shared.any() else np.inf)


def test_a_copy_is_found_exactly():
    train = many(300, 2)
    present = train.presence.any(1)
    state = nearest.fit(train, nearest.Config(), 0)
    np.testing.assert_array_equal(nearest.predict(state, train)[present], train.y[present])
    assert (train.x[present][1:] != train.x[present][:-1]).any(1).all()


def test_the_first_of_equally_near_rows_is_taken():
    """Rows 1 to 40 are the same; 300 queries in blocks of several sizes get the first of them."""
    train = rows([[5, 5, 5]] + [[0.1, 0.2, 0.3]] * 40, [[1, 1]] * 41, np.arange(82).reshape(41, 2))
    state = nearest.fit(train, nearest.Config(), 0)
    queries = rows([[0.1 + 0.7, 0.2, 0.3]] * 300, [[1, 1]] * 300)
    for block in (1, 7, 300):
        np.testing.assert_array_equal(nearest.predict(state, queries, block), np.tile([2.0, 3.0], (300, 1)))


def test_ties_survive_rounding():
    """Rows q + d and q - d are equally far from q, but not quite in float64: columns differ in scale by 2^20."""
    rng, scale = np.random.default_rng(0), 2.0 ** np.array([-10, 0, 10])
    for _ in range(100):
        q, d = rng.integers(1, 2**22, (2, 3)) * 2.0**-12 * scale
        train = rows([q + d, q - d, q + 2 * d], [[1, 1]] * 3, [[1, 1], [2, 2], [3, 3]])
        np.testing.assert_array_equal(nearest.predict(nearest.fit(train, nearest.Config(), 0), rows([q], [[1, 1]])), [[1, 1]])


def test_blockwise_is_the_whole():
    train, queries = many(200, 3), many(150, 4)
    state = nearest.fit(train, nearest.Config(), 0)
    whole = nearest.predict(state, queries, 1000)
    for block in (1, 13, 64):
        np.testing.assert_array_equal(nearest.predict(state, queries, block), whole)


def test_what_an_absent_modality_holds_is_not_read():
    train, queries = many(200, 3), many(150, 4)
    dirty = [rows(np.where((r.presence > 0)[:, OWNER], r.x, np.nan), r.presence, r.y) for r in (train, queries)]
    a, b = (nearest.predict(nearest.fit(t, nearest.Config(), 0), q) for t, q in ((train, queries), dirty))
    np.testing.assert_array_equal(a, b)


def test_rows_that_share_no_modality_get_the_mean():
    train = rows([[1, 1, 0], [2, 2, 0]], [[1, 0], [1, 0]], [[1, 4], [3, 8]])
    queries = rows([[0, 0, 1], [0, 0, 0], [2, 2, 9]], [[0, 1], [0, 0], [1, 1]])
    got = nearest.predict(nearest.fit(train, nearest.Config(), 0), queries)
    np.testing.assert_array_equal(got, [[2, 6], [2, 6], [3, 8]])


def test_rows_kept_are_capped_and_fully_labelled():
    train = many(100, 5)
    train.y[::2, 0] = np.nan
    state = nearest.fit(train, nearest.Config(), 0)
    np.testing.assert_array_equal(state["y"], train.y[1::2])
    few, again, other = (nearest.fit(train, nearest.Config(max_rows=20), seed) for seed in (0, 0, 1))
    assert few["x"].shape == (20, 3)
    np.testing.assert_array_equal(few["x"], again["x"])
    assert (few["x"] != other["x"]).any()
    assert {a.dtype.kind for a in few.values()} <= {"f", "u"}
