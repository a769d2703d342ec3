"""Conditions put to test trials: the same masks and displacements for every model."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from types import ModuleType
from typing import NamedTuple

import numpy as np

from himoe import io, registry
from himoe.data.perturbation import joined, perturbed
from himoe.names import CLEAN
from himoe.types import HimoeError, Tokens

N_DIGITS = 16  # of a digest
Seed = tuple[int, int]


class Conditions(NamedTuple):
    """What test trials are put through beside clean: severities by condition, and the seed of all masks and shifts."""

    severities: dict[str, list[float]]
    seed: int


class Case(NamedTuple):
    """Test trials under one severity of a condition. ``digest`` (hex) says what was lost and displaced, and is the same for
    every model; empty where nothing was: at severity 0 ``x`` and ``mask`` of the tokens are those of the clean ones, no
    copies."""

    condition: str
    severity: float
    tokens: Tokens
    digest: str


def cases(test: Tokens, recorded: Tokens, conditions: Conditions) -> Iterator[Case]:
    """The clean test trials, then every severity of every condition. ``recorded``: the same trials as prepared, whatever the
    model is given in their place; from them all is drawn."""
    yield Case(CLEAN, 0.0, test, "")
    for condition, severities in conditions.severities.items():
        yield from under_condition(test, condition, severities, conditions.seed, recorded).values()


def under_condition(
    tokens: Tokens, condition: str, severities: list[float], seed: int, recorded: Tokens | None = None
) -> dict[float, Case]:
    """Every severity of a condition on every trial; where labels vary within it, those at its ends are taken away, as far as
    the strongest severity makes them invalid. Severity 0 leaves every trial as it is.

    The generator depends on the seed, the condition and the trial's name, not on the model or the severity: all models
    meet the same masks and shifts, and severities are nested.
    """
    plugin, recorded = registry.load("conditions", condition), tokens if recorded is None else recorded
    edge = max(plugin.margin(s, tokens.layout.token_rate) for s in severities)
    shortest = np.diff(tokens.offsets).min()
    if shortest <= 2 * edge:
        raise HimoeError(f"conditions.{condition}: a trial of {shortest} tokens has no middle once {edge} are cut at each end")
    y, out = _without_labels_at_the_ends(tokens, edge), {}
    seeds, trials = _seeds(recorded, condition, seed), _one_by_one(recorded)
    for severity in severities:
        changed, digest = tokens, ""
        if severity and hasattr(plugin, "draw"):
            changed, digest = _drawn(plugin, tokens, trials, severity, seeds)
        elif severity:
            known = _applied(plugin, trials, severity, seeds)
            changed = known if recorded is tokens else _applied(plugin, _one_by_one(tokens), severity, seeds)
            digest = io.digest(known.x, known.mask)
        out[severity] = Case(condition, severity, replace(changed, y=y), digest[:N_DIGITS])
    return out


def _drawn(plugin: ModuleType, tokens: Tokens, trials: list[Tokens], severity: float, seeds: list[Seed]) -> tuple[Tokens, str]:
    """Tokens with what a condition draws for each of the recorded trials, and the digest of that."""
    drawn = [plugin.draw(trial, severity, np.random.default_rng(seed)) for trial, seed in zip(trials, seeds, strict=True)]
    what = joined(drawn, tokens.offsets)
    return perturbed(tokens, what), what.digest


def _applied(plugin: ModuleType, trials: list[Tokens], severity: float, seeds: list[Seed]) -> Tokens:
    """Trials whose values a condition changed."""
    parts = zip(trials, seeds, strict=True)
    return Tokens.concatenate([plugin.apply(trial, severity, np.random.default_rng(seed)) for trial, seed in parts])


def _one_by_one(tokens: Tokens) -> list[Tokens]:
    return [tokens.select([i]) for i in range(len(tokens.trials))]


def injected_lags(recorded: Tokens, condition: str, severity: float, seed: int) -> np.ndarray | None:
    """By how many seconds each modality was made late, (n_trials, M); None where the condition displaces none as a whole."""
    if condition == CLEAN:
        return None
    plugin = registry.load("conditions", condition)
    if not hasattr(plugin, "injected"):
        return None
    parts = zip(_one_by_one(recorded), _seeds(recorded, condition, seed), strict=True)
    lags = [plugin.injected(trial, severity, np.random.default_rng(of)) for trial, of in parts]
    return np.stack(lags) / recorded.layout.token_rate


def _seeds(tokens: Tokens, condition: str, seed: int) -> list[Seed]:
    """Of the generator of each trial."""
    names = [f"{t.subject}/{t.session}/{t.trial}/{condition}" for t in tokens.trials]
    return [(seed, zlib.crc32(name.encode())) for name in names]


def _without_labels_at_the_ends(tokens: Tokens, edge: int) -> np.ndarray:
    """Labels without those of ``edge`` tokens at each end of a trial; a label of the whole trial stays."""
    if edge == 0 or not tokens.layout.per_token:
        return tokens.y
    y = tokens.y.copy()
    for first, last in pairwise(tokens.offsets):
        y[first : first + edge] = y[last - edge : last] = np.nan
    return y
