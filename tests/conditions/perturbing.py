"""One trial under a condition, as tests of single conditions look at it."""

from __future__ import annotations

import numpy as np

from himoe import registry
from himoe.data.perturbation import perturbed
from himoe.types import Tokens
from tests.conftest import GRID, TWO, make_tokens


def apply(name: str, tokens: Tokens, severity: float, seed: int = 0) -> Tokens:
    """One trial, whichever form the condition has."""
    plugin, rng = registry.load("conditions", name), np.random.default_rng(seed)
    if hasattr(plugin, "draw"):
        return perturbed(tokens, plugin.draw(tokens, severity, rng))
    return plugin.apply(tokens, severity, rng)


def trial(n_modalities: int, n_times: int = 24) -> Tokens:
    """A trial at 2 Hz of modalities a, b, ..., two features each, all there; the first feature counts the tokens."""
    tokens = make_tokens(
        1, 1, n_times, features={name: (f"{name}0", f"{name}1") for name in "abcdefgh"[:n_modalities]}, signal=0
    )
    tokens.mask[:] = True
    tokens.x[:, ::2] = np.arange(n_times)[:, None]
    return tokens


def tokens_under(name: str, **options) -> Tokens:
    """Tokens that a condition can change: with an EEG of four channels where it needs one."""
    return make_tokens(
        features={"b": ("b0", "b1")} | GRID if "MODALITY" in registry.peek("conditions", name) else TWO, **options
    )


def severities(name: str, n_modalities: int = 2) -> list[float]:
    """A mild and a strong severity that a condition has on so many modalities."""
    facts = registry.peek("conditions", name)
    if "n_severities" in facts["functions"]:
        return [1.0, registry.load("conditions", name).n_severities(n_modalities) - 1.0]
    return [2.0, 4.0] if facts.get("WHOLE") else [0.5, 0.5 + 0.5 * min(facts.get("LIMITS", (0, 7))[1], 7)]
