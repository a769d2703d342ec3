"""What a condition declares for the check of the config is what it does: limits, whole tokens, margins."""

from __future__ import annotations

import numpy as np
import pytest

from himoe import registry
from himoe.config.facts import margin
from himoe.types import HimoeError

CONDITIONS = registry.available("conditions")


def apply(name, tokens, severity):
    return registry.load("conditions", name).apply(tokens.select([0]), severity, np.random.default_rng(0))


@pytest.mark.parametrize("name", CONDITIONS)
def test_seconds_must_be_whole_tokens_where_that_is_declared(name, tokens):
    if registry.peek("conditions", name).get("WHOLE_TOKENS"):
        with pytest.raises(HimoeError, match=r"0\.3 s is no whole number of tokens at 2 Hz"):
            apply(name, tokens, 0.3)
    else:
        apply(name, tokens, 0.3)


@pytest.mark.parametrize("name", CONDITIONS)
def test_both_limits_are_accepted(name, tokens):
    low, high = registry.peek("conditions", name).get("LIMITS", (0, 1000))
    assert low == 0, "severity 0 is the identity"
    assert low < high
    assert apply(name, tokens, float(high)).x.shape == tokens.select([0]).x.shape


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_margin_is_that_of_the_module(name):
    module = registry.load("conditions", name)
    for severity, rate in ((0.0, 2.0), (0.5, 2.0), (4.0, 1.0)):
        assert margin(name, severity, rate) == module.margin(severity, rate)


def test_a_share_has_limits():
    shares = [name for name in CONDITIONS if registry.peek("conditions", name)["UNIT"].startswith("share")]
    assert shares
    assert all(registry.peek("conditions", name)["LIMITS"] == (0, 1) for name in shares)
