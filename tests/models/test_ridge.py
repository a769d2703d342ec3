"""The strong line: left-out fits equal to a plain loop, penalty and scale by hand, nothing read beyond a trial."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from himoe.config.sections import Planted
from himoe.data.rows import Rows, to_rows
from himoe.datasets import planted
from himoe.evaluate.conditions import under_condition
from himoe.models import _left_out, ridge, ridge_token
from himoe.stats.metrics import ccc
from himoe.train.scaling import Scaler
from himoe.types import HimoeError, Tokens
from tests.conftest import make_tokens

PENALTIES = [0.5, 20.0, 3000.0]


def deviations(rows, penalty, group):
    """(predictions, labels) of every row as deviations from the training mean, by a plain loop over what is left out."""
    x, y = ridge._design(rows, rows.lags(2, 1), np.arange(len(rows.x))), rows.y.astype(float)
    predicted, level = np.empty(y.shape), np.empty(y.shape)
    for name in set(group):
        here = group == name
        predicted[here] = Ridge(alpha=penalty).fit(x[~here], y[~here]).predict(x[here])
        level[here] = y[~here].mean(0)
    return predicted - level, y - level


@pytest.mark.parametrize("per_token", [False, True])
def test_left_out_fits_are_those_of_a_plain_loop(per_token):
    rows = to_rows(make_tokens(5, 6, per_token=per_token))
    group = _left_out.groups_of(rows, "ridge")
    names = sorted(set(group))
    parts = [np.flatnonzero(group == name) for name in names]
    moments = ridge._moments(rows, rows.lags(2, 1), parts)
    sums = np.stack([ridge.left_out(moments.sum(0) - own, own, np.array(PENALTIES), 2) for own in moments], axis=1)
    for c, penalty in enumerate(PENALTIES):
        p, y = deviations(rows, penalty, group)
        for g, part in enumerate(parts):
            expected = _left_out.sums_of(p[None, part], y[part])[:, 0]
            np.testing.assert_allclose(sums[:, g, c], expected, rtol=1e-8, atol=1e-8)
        at_one = [_left_out.ccc_of(sums[:, g, c], np.ones((1, 2)))[0] for g in range(len(parts))]
        plain = [[ccc(y[part, k], p[part, k]) for k in range(2)] for part in parts]
        np.testing.assert_allclose(at_one, plain, atol=1e-8)


def test_the_fit_is_the_plain_one_times_its_scale():
    """Also with several stimuli of one subject left out, and with rows whose label is unknown."""
    whole = make_tokens(5, 6, per_token=True)
    y = whole.y.copy()
    y[::7, 1] = np.nan
    for tokens in (whole, whole.select([0, 1, 2]), replace(whole, y=y)):
        rows = to_rows(tokens)
        known = np.isfinite(rows.y).all(1)
        state = ridge.fit(rows, ridge.Config(), 0)
        x = ridge._design(rows, state["lags"], np.arange(len(rows.x)))
        level = rows.y[known].mean(0)
        for k in range(2):
            plain = Ridge(alpha=state["penalty"][k]).fit(x[known], rows.y[known, k]).predict(x)
            expected = level[k] + state["scale"][k] * (plain - level[k])
            np.testing.assert_allclose(ridge.predict(state, rows)[:, k], expected, atol=1e-6)


def test_penalty_and_scale_are_the_best_of_all_by_mean_ccc_of_people():
    """Against every penalty and a fine grid of scales, tried one by one; not the best by all rows at once."""
    rows = to_rows(make_tokens(5, 8, signal=0.15, per_token=True))
    state = ridge.fit(rows, ridge.Config(penalties=PENALTIES), 0)
    for k in range(2):
        tried = {}
        for penalty in PENALTIES:
            p, y = deviations(rows, penalty, rows.subject)
            for scale in np.geomspace(0.02, 50, 150):
                of_people = [ccc(y[rows.subject == s, k], scale * p[rows.subject == s, k]) for s in set(rows.subject)]
                tried[penalty, scale] = np.mean(of_people)
        penalty, scale = max(tried, key=tried.get)
        assert state["penalty"][k] == penalty
        assert state["scale"][k] == pytest.approx(scale, rel=0.1)
        assert state["scale"][k] > 1.1  # squared error shrinks; CCC wants the spread of the labels


def test_scale_by_hand():
    """Two people with labels -1, 1. Candidate 0 says a quarter of them: CCC 1 if four times as large. Candidate 1 says nothing
    but a constant, 1: 0 at any scale."""
    y = np.array([[-1.0], [1.0]])
    said = np.stack([y / 4, np.ones_like(y)])
    sums = np.stack([_left_out.sums_of(said, y)] * 2, axis=1)
    best, slope = _left_out.choose(sums, np.array(["a", "b"]))
    assert best.tolist() == [0]
    assert slope[0] == pytest.approx(4, rel=0.03)
    assert _left_out.ccc_of(sums[:, 0], np.array([4.0])[:, None, None])[0, :, 0].tolist() == [1, 0]
    # slope 2: 2 * 0.5 / (0.25 + 1) = 0.8
    assert _left_out.ccc_of(sums[:, 0], np.array([2.0])[:, None, None])[0, 0, 0] == pytest.approx(0.8)


def test_one_person_counts_once_however_many_rows():
    """Person a wants a slope of 1 and has 1000 rows, b and c want 0.5; by all rows at once a would win."""
    y = np.array([[-1.0], [1.0]])
    of_a = _left_out.sums_of(np.tile(y, (500, 1))[None], np.tile(y, (500, 1)))
    of_others = _left_out.sums_of(y[None], y / 2)
    _, slope = _left_out.choose(np.stack([of_a, of_others, of_others], axis=1), np.array(["a", "b", "c"]))
    assert slope[0] < 0.75


def test_one_candidate_for_all_targets_where_they_go_together():
    """Target 0 is better off with candidate 0 by far, target 1 a little with candidate 1."""
    y = np.array([[-1.0, -1.0], [1.0, 1.0], [0.5, -0.5]])
    noise = np.array([[1.0, 0.3], [0.0, -0.2], [-1.0, 0.2]])
    said = np.stack([y + 0.3 * noise * [0, 1], y + noise * [1, 0]])
    sums = np.stack([_left_out.sums_of(said, y)], axis=1)
    assert _left_out.choose(sums, np.array(["a"]))[0].tolist() == [0, 1]
    assert _left_out.choose(sums, np.array(["a"]), together=True)[0].tolist() == [0, 0]


@pytest.mark.parametrize("model", [ridge, ridge_token])
def test_nothing_to_leave_out_is_an_error(model):
    with pytest.raises(HimoeError, match=rf"{model.__name__.split('.')[-1]}: one training subject with one stimulus"):
        model.fit(to_rows(make_tokens(1, 1, per_token=True)), model.Config(), 0)


def test_a_penalty_at_the_edge_is_told(caplog):
    rows = to_rows(make_tokens(5, 6, per_token=True))
    ridge.fit(rows, ridge.Config(penalties=[1e7, 1e8, 1e9]), 0)
    assert "is the smallest or largest candidate" in caplog.text


@pytest.mark.parametrize("per_token", [False, True])
def test_other_trials_do_not_change_a_prediction(per_token):
    tokens = make_tokens(6, 4, per_token=per_token)
    state = ridge.fit(to_rows(tokens), ridge.Config(), 0)
    together = ridge.predict(state, to_rows(tokens))
    alone = np.concatenate([ridge.predict(state, to_rows(tokens.select([i]))) for i in range(len(tokens.trials))])
    np.testing.assert_allclose(together, alone, atol=1e-12)


def test_a_fit_is_blind_to_people_it_is_not_given():
    tokens = make_tokens(6, 4, per_token=True)
    some = tokens.select([i for i, t in enumerate(tokens.trials) if t.subject != "s5"])
    other = replace(tokens, x=tokens.x + 9 * (to_rows(tokens).subject == "s5")[:, None].astype(np.float32))
    again = other.select([i for i, t in enumerate(other.trials) if t.subject != "s5"])
    a, b = (ridge.fit(to_rows(t), ridge.Config(), 0) for t in (some, again))
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_the_shipped_line_stays_as_it_was():
    """Its prediction is that of a plain ridge on tokens with zeros for what is lost."""
    rows = to_rows(make_tokens(5, 6, per_token=True))
    state = ridge_token.fit(rows, ridge_token.Config(), 0)
    x = np.concatenate([rows.x, rows.presence - 1], axis=1)
    plain = Ridge(alpha=float(state["penalty"][0])).fit(x, rows.y).predict(x)
    np.testing.assert_allclose(ridge_token.predict(state, rows), plain, atol=1e-6)


def mean_ccc(model, state, scaler, tokens):
    rows = to_rows(scaler.transform(tokens))
    said = model.predict(state, rows)
    return np.mean(
        [[ccc(rows.y[rows.subject == s, k], said[rows.subject == s, k]) for k in range(2)] for s in set(rows.subject)]
    )


def test_the_line_is_strong_where_tokens_are_lost():
    """Planted latents, six people to learn from and four unseen ones, seven of ten tokens lost."""
    names = planted.INFO.subjects[:10]
    people, _ = planted.tokens(names, Planted(timescale=2, trials=6, subjects=10), True)
    train, unseen = (Tokens.concatenate([people[n] for n in part]) for part in (names[:6], names[6:]))
    lossy, scaler = under_condition(unseen, "missing_rate", [0, 0.7], 0)[0.7].tokens, Scaler.fit(train)
    rows: Rows = to_rows(scaler.transform(train))
    fits = {m: m.fit(rows, m.Config(), 0) for m in (ridge, ridge_token)}
    strong, weak = (mean_ccc(m, state, scaler, lossy) for m, state in fits.items())
    assert strong > weak + 0.3
    assert strong > mean_ccc(ridge, fits[ridge], scaler, unseen) - 0.05
