"""Severity 0 of every condition leaves every trial as it is, bit for bit, beside whatever other severities there are."""

from __future__ import annotations

import numpy as np
import pytest

from himoe import registry
from himoe.evaluate.conditions import under_condition
from tests.conftest import make_tokens


@pytest.mark.parametrize("per_token", [True, False], ids=["per token", "per trial"])
@pytest.mark.parametrize("condition", registry.available("conditions"))
def test_severity_zero_is_the_identity(condition, per_token):
    tokens = make_tokens(2, 2, per_token=per_token)
    strong = 0.7 if condition == "missing_rate" else 4.0
    out = under_condition(tokens, condition, [0.0, strong], seed=3)[0.0]
    for name in ("x", "mask", "time", "offsets"):
        np.testing.assert_array_equal(getattr(out, name), getattr(tokens, name))
    kept = np.isfinite(out.y)
    np.testing.assert_array_equal(out.y[kept], tokens.y[kept])
    assert kept.all() or per_token


def test_ends_that_a_shift_fills_from_the_other_end_are_not_scored():
    """24 tokens at 2 Hz, 4 s either way: eight at each end have no label, under every severity; the middle is moved by 8."""
    tokens = make_tokens(1, 1, per_token=True)
    out = under_condition(tokens, "shift", [0.0, 4.0], seed=3)
    for perturbed in out.values():
        assert np.isnan(perturbed.y[:8]).all()
        assert np.isnan(perturbed.y[16:]).all()
        np.testing.assert_array_equal(perturbed.y[8:16], tokens.y[8:16])
    moved = [m for m in range(2) if (out[4.0].mask[:, m] != tokens.mask[:, m]).any()]
    assert len(moved) == 1
    columns = tokens.layout.slices[tokens.layout.modalities[moved[0]]]
    inner = out[4.0].x[8:16, columns]
    assert any(np.array_equal(inner, tokens.x[8 - k : 16 - k, columns]) for k in (8, -8))
