"""Conditions applied to test trials: the same masks and shifts for every model."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from himoe import registry
from himoe.types import HimoeError, Tokens, TrialInfo

CLEAN = "clean"  # the condition of recordings as they are


def under_condition(tokens: Tokens, condition: str, severities: list[float], seed: int) -> dict[float, Tokens]:
    """Every severity of a condition on every trial; where labels vary within it, those at its ends are taken away, as far as
    the
    strongest severity makes them invalid. Severity 0 leaves every trial as it is.

    The generator depends on the seed, the condition and the trial's name, not on the model or the severity: all models
    meet the same masks and shifts, and severities are nested.
    """
    plugin = registry.load("conditions", condition)
    edge = max(plugin.margin(s, tokens.layout.token_rate) for s in severities)
    shortest = np.diff(tokens.offsets).min()
    if shortest <= 2 * edge:
        raise HimoeError(f"conditions.{condition}: a trial of {shortest} tokens has no middle once {edge} are cut at each end")
    out = {}
    for severity in severities:
        trials = []
        for i, trial in enumerate(tokens.trials):
            perturbed = plugin.apply(tokens.select([i]), severity, _generator(trial, condition, seed))
            trials.append(_without_labels_at_the_ends(perturbed, edge))
        out[severity] = Tokens.concatenate(trials)
    return out


def injected_lags(tokens: Tokens, condition: str, severity: float, seed: int) -> np.ndarray | None:
    """By how many seconds each modality was made late, (n_trials, M); None where the condition displaces nothing."""
    if condition == CLEAN:
        return None
    plugin = registry.load("conditions", condition)
    if not hasattr(plugin, "injected"):
        return None
    lags = [
        plugin.injected(tokens.select([i]), severity, _generator(trial, condition, seed))
        for i, trial in enumerate(tokens.trials)
    ]
    return np.stack(lags) / tokens.layout.token_rate


def _generator(trial: TrialInfo, condition: str, seed: int) -> np.random.Generator:
    name = f"{trial.subject}/{trial.session}/{trial.trial}/{condition}"
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _without_labels_at_the_ends(tokens: Tokens, edge: int) -> Tokens:
    """One trial without the labels of ``edge`` tokens at each end; a label of the whole trial stays."""
    if edge == 0 or not tokens.layout.per_token:
        return tokens
    y = tokens.y.copy()
    y[:edge] = y[len(y) - edge :] = np.nan
    return replace(tokens, y=y)
