"""What a condition declares for the check of the config is what it does: limits, whole tokens, margins."""

from __future__ import annotations

import pytest

from himoe import registry
from himoe.config.facts import margin
from himoe.types import HimoeError
from tests.conditions.perturbing import apply, tokens_under

CONDITIONS = registry.available("conditions")


@pytest.mark.parametrize("name", CONDITIONS)
def test_seconds_must_be_whole_tokens_where_that_is_declared(name):
    one = tokens_under(name).select([0])
    if registry.peek("conditions", name).get("WHOLE_TOKENS"):
        with pytest.raises(HimoeError, match=r"0\.3 s is no whole number of tokens at 2 Hz"):
            apply(name, one, 0.3)
    else:
        apply(name, one, 0.3)


@pytest.mark.parametrize("name", CONDITIONS)
def test_both_limits_are_accepted(name):
    facts, one = registry.peek("conditions", name), tokens_under(name).select([0])
    low, high = facts.get("LIMITS", (0, 1000))
    if "n_severities" in facts["functions"]:
        high = registry.load("conditions", name).n_severities(2) - 1
    assert low == 0, "severity 0 is the identity"
    assert low < high
    assert apply(name, one, float(high)).x.shape == one.x.shape


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_margin_is_that_of_the_module(name):
    module = registry.load("conditions", name)
    assert hasattr(module, "draw") != hasattr(module, "apply")  # one of both
    for severity, rate in ((0.0, 2.0), (0.5, 2.0), (4.0, 1.0)):
        assert margin(name, severity, rate) == module.margin(severity, rate)


def test_a_share_has_limits():
    shares = [name for name in CONDITIONS if registry.peek("conditions", name)["UNIT"].startswith("share")]
    assert shares
    assert all(registry.peek("conditions", name)["LIMITS"] == (0, 1) for name in shares)
