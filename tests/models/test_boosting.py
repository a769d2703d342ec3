"""Gradient boosting: exported trees predict as scikit-learn's, absent modalities are missing, a step is learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load, save

from himoe.data.rows import Rows
from himoe.models import boosting, ridge

OWNER = np.array([0, 0, 0, 1, 1])
SMALL = boosting.Config(max_trees=30, learning_rate=0.2)


def rows(n=240, seed=0, n_subjects=6):
    """Target 0 is a step of feature 0 that a line cannot fit, target 1 a product of two modalities; the rest is noise."""
    rng = np.random.default_rng(seed)
    x, presence = rng.standard_normal((n, 5)), (rng.random((n, 2)) < 0.8).astype(float)
    y = np.stack([np.abs(x[:, 0]) > 0.7, x[:, 1] * x[:, 3] > 0], axis=1) + 0.05 * rng.standard_normal((n, 2))
    x = np.where(presence[:, OWNER] > 0, x, 0.0)
    subject = np.array([f"s{i % n_subjects}" for i in range(n)], object)
    return Rows(x, presence, np.full(n, "t", object), subject, OWNER, x, y=y.astype(np.float32))


def design(data):
    return boosting.design(data, np.zeros(1, int))


def grown(data, n_trees=17):
    return [boosting.grow_trees(design(data), data.y[:, k].astype(float), SMALL, n_trees, 0) for k in range(2)]


def exported(models):
    return boosting.export(models) | {"scale": np.ones(2), "lags": np.zeros(1, int)}


def test_exported_trees_predict_as_scikit_learns(monkeypatch):
    """NaN in training and out of it, NaN where training had none, values far outside, and values equal to thresholds."""
    train, queries = rows(), rows(500, 1)
    for data in (train, replace(train, presence=np.ones_like(train.presence))):
        models = grown(data)
        state = exported(models)
        at = state["threshold"][state["left"] != np.arange(state["left"].shape[2])]
        edge = np.resize(at, queries.filled[:100].shape)
        x = np.concatenate([queries.filled, 1e6 * queries.filled[:50], edge])
        q = replace(queries, filled=x, presence=np.concatenate([queries.presence, queries.presence[:50], np.ones((100, 2))]))
        assert np.isnan(design(q)).any(1).sum() > 100
        expected = np.stack([m.predict(design(q)) for m in models], axis=1)
        np.testing.assert_allclose(boosting.predict(state, q), expected, atol=1e-6)
        monkeypatch.setattr(boosting, "BLOCK", 7)
        np.testing.assert_allclose(boosting.predict(state, q), expected, atol=1e-6)


def test_the_stored_model_is_the_one_that_was_fitted():
    """Through the bytes of a weights file; nothing but arrays of numbers; the ensemble is that grown of as many trees."""
    train, queries = rows(), rows(100, 1)
    state = boosting.fit(train, SMALL, 0)
    assert all(type(a) is np.ndarray and a.dtype.kind in "fiu" for a in state.values())
    read = load(save({name: np.ascontiguousarray(a) for name, a in state.items()}))
    n_trees = state["left"].shape[1]
    assert n_trees in (10, 20, 30)
    expected = np.stack([m.predict(design(queries)) for m in grown(train, n_trees)], axis=1)
    scaled = state["baseline"] + state["scale"] * (expected - state["baseline"])
    np.testing.assert_allclose(boosting.predict(read, queries), scaled, atol=1e-6)
    again = boosting.fit(train, SMALL, 0)
    assert all(np.array_equal(state[name], again[name]) for name in state)


def test_a_step_is_learnt_that_a_line_cannot_fit():
    train, queries = rows(), rows(200, 1)
    seen = queries.presence[:, 0] > 0
    predicted = [m.predict(m.fit(train, c, 0), queries)[seen, 0] for m, c in ((boosting, SMALL), (ridge, ridge.Config()))]
    boosted, linear = (1 - np.mean((queries.y[seen, 0] - p) ** 2) / queries.y[seen, 0].var() for p in predicted)
    assert boosted > 0.8
    assert linear < 0.1


@pytest.mark.parametrize("garbage", [np.nan, np.inf, 1e30])
def test_what_an_absent_modality_holds_is_not_read(garbage):
    train, queries = rows(), rows(100, 1)
    dirty = [replace(r, filled=np.where(r.presence[:, OWNER] > 0, r.filled, garbage)) for r in (train, queries)]
    a, b = (boosting.predict(boosting.fit(t, SMALL, 0), q) for t, q in ((train, queries), dirty))
    np.testing.assert_array_equal(a, b)
    zero = replace(queries, presence=np.ones_like(queries.presence))
    assert (boosting.predict(boosting.fit(train, SMALL, 0), zero) != a).any()  # absent is not 0


def test_a_modality_absent_throughout_training_is_not_used():
    train, queries = rows(), rows(100, 1)
    train = replace(train, presence=train.presence * [1, 0])
    state = boosting.fit(train, SMALL, 0)
    other = replace(queries, presence=np.stack([queries.presence[:, 0], 1 - queries.presence[:, 1]], axis=1))
    np.testing.assert_array_equal(boosting.predict(state, queries), boosting.predict(state, other))


def test_unknown_labels_are_dropped_for_their_target_alone():
    """The second target's trees are those of the rows that have it, the first one's those of all rows. (The scales are those of
    other groups of subjects: taken off.)"""
    train, config = rows(), boosting.Config(max_trees=10, learning_rate=0.2)
    y, known = train.y.copy(), np.arange(240) % 3 > 0
    y[~known, 1] = np.nan
    some = replace(train, **{n: getattr(train, n)[known] for n in ("x", "presence", "y", "stimulus", "subject", "filled")})
    fits = (boosting.fit(r, config, 0) for r in (train, some, replace(train, y=y)))
    whole, part, both = (state | {"scale": np.ones(2)} for state in fits)
    of_whole, of_part, of_both = (boosting.predict(state, train) for state in (whole, part, both))
    np.testing.assert_array_equal(of_both[:, 0], of_whole[:, 0])
    np.testing.assert_array_equal(of_both[:, 1], of_part[:, 1])


def test_groups_hold_whole_subjects():
    subject = np.array([f"s{i % 7}" for i in range(70)], object)
    group = boosting.subject_groups(subject, 0)
    assert len(set(group)) == 3
    assert all(len(set(group[subject == s])) == 1 for s in set(subject))
    assert len(set(boosting.subject_groups(np.full(9, "one", object), 0))) == 3


def test_rows_are_capped_by_the_seed():
    fits = [boosting.fit(rows(), boosting.Config(max_trees=5, max_rows=60), seed)["baseline"] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert (fits[0] != fits[2]).all()
    assert (fits[0] != boosting.fit(rows(), boosting.Config(max_trees=5), 0)["baseline"]).all()


def test_means_of_the_tokens_around_stand_beside_a_token():
    """Five tokens, 1 Hz, 2 s either way, the ends held: the first one's mean is of 0 0 0 1 2, the third one's of 0 1 2 3 4."""
    data = rows(8)
    x = np.repeat(np.array([0.0, 1, 2, 3, 4, 10, 20, 30])[:, None], 5, axis=1)
    presence = np.ones((8, 2))
    presence[5:, 1] = 0  # the second trial has none of the second modality
    data = replace(data, filled=x, presence=presence, offsets=np.array([0, 5, 8]), token_rate=1.0)
    got = boosting.design(data, data.lags(2, 0))
    np.testing.assert_allclose(got[:, 0], x[:, 0])
    np.testing.assert_allclose(got[:, 5], [0.6, 1.2, 2, 2.8, 3.4, 16, 20, 24])
    assert np.isnan(got[5:, [3, 4, 8, 9]]).all()
    assert np.isfinite(got[:5]).all()


def test_the_scale_is_that_of_left_out_people():
    """A weak signal: the trees' predictions of left-out people vary less than the labels, and are stretched; their mean stays
    that of the training labels."""
    train = rows(600)
    noisy = replace(train, y=train.y + np.random.default_rng(2).standard_normal((600, 2)).astype(np.float32))
    state = boosting.fit(noisy, SMALL, 0)
    assert (state["scale"] > 1.1).all()
    np.testing.assert_allclose(boosting.predict(state, noisy).mean(0), noisy.y.mean(0), atol=0.05)
