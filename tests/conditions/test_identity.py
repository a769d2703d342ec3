"""Severity 0 of every condition leaves every trial as it is, bit for bit, beside whatever other severities there are; the same
labels are scored at every severity, where nothing of the other end can stand."""

from __future__ import annotations

import numpy as np
import pytest

from himoe import registry
from himoe.evaluate.conditions import under_condition
from tests.conditions.perturbing import apply, severities, tokens_under, trial
from tests.conftest import make_tokens

CONDITIONS = registry.available("conditions")


@pytest.mark.parametrize("per_token", [True, False], ids=["per token", "per trial"])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_severity_zero_is_the_identity(condition, per_token):
    tokens = tokens_under(condition, n_subjects=2, n_trials=2, per_token=per_token)
    out = under_condition(tokens, condition, [0.0, *severities(condition)], seed=3)[0.0]
    for name in ("x", "mask", "time", "offsets"):
        np.testing.assert_array_equal(getattr(out.tokens, name), getattr(tokens, name))
    assert not out.digest
    kept = np.isfinite(out.tokens.y)
    np.testing.assert_array_equal(out.tokens.y[kept], tokens.y[kept])
    assert kept.all() or per_token
    one, alone = (
        tokens.select([0]),
        apply(condition, tokens.select([0]), 0.0),
    )  # and so is what the condition itself makes of it
    np.testing.assert_array_equal(alone.x, one.x)
    np.testing.assert_array_equal(alone.mask, one.mask)


@pytest.mark.parametrize("condition", [c for c in CONDITIONS if hasattr(registry.load("conditions", c), "draw")])
def test_what_is_scored_is_of_no_other_end_and_not_farther_away_than_the_margin(condition):
    """At 2 Hz, up to 4 s: where labels are scored under all severities, data come from at most ``margin`` tokens away."""
    tokens, plugin = trial(3, n_times=40), registry.load("conditions", condition)
    strong = severities(condition, 3)
    edge = max(plugin.margin(s, 2.0) for s in strong)
    for seed in range(20):
        for severity in strong:
            source = plugin.draw(tokens, severity, np.random.default_rng(seed)).source
            away = (np.arange(40)[:, None] - source)[edge : 40 - edge]
            if edge:
                assert np.abs(away).max() <= plugin.margin(severity, 2.0)
            else:
                assert (away >= 0).all()  # of the past, or in its place


def test_ends_that_a_shift_fills_from_the_other_end_are_not_scored():
    """24 tokens at 2 Hz, 4 s either way: eight at each end have no label, under every severity; the middle is moved by 8."""
    tokens = make_tokens(1, 1, per_token=True)
    out = under_condition(tokens, "shift", [0.0, 4.0], seed=3)
    out = {severity: case.tokens for severity, case in out.items()}
    for perturbed in out.values():
        assert np.isnan(perturbed.y[:8]).all()
        assert np.isnan(perturbed.y[16:]).all()
        np.testing.assert_array_equal(perturbed.y[8:16], tokens.y[8:16])
    moved = [m for m in range(2) if (out[4.0].mask[:, m] != tokens.mask[:, m]).any()]
    assert len(moved) == 1
    columns = tokens.layout.slices[tokens.layout.modalities[moved[0]]]
    inner = out[4.0].x[8:16, columns]
    assert any(np.array_equal(inner, tokens.x[8 - k : 16 - k, columns]) for k in (8, -8))
