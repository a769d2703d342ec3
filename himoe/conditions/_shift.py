"""Shifts of modalities by whole tokens: what the shift conditions share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from himoe.types import HimoeError, Tokens


def steps(seconds: float, token_rate: float, condition: str) -> int:
    """Seconds as a number of tokens; HimoeError unless that is whole."""
    k = seconds * token_rate
    if abs(k - round(k)) > 1e-6:
        raise HimoeError(f"conditions.{condition}: {seconds:g} s is no whole number of tokens at {token_rate:g} Hz")
    return round(k)


def delayed(tokens: Tokens, by: np.ndarray) -> Tokens:
    """One trial with modality m delayed by ``by[m]`` tokens (M,), advanced where negative; what leaves the trial is absent."""
    x, mask, n = tokens.x.copy(), tokens.mask.copy(), len(tokens.x)
    for m in np.flatnonzero(by):
        columns, k = tokens.layout.slices[tokens.layout.modalities[m]], int(by[m])
        x[:, columns], mask[:, m] = 0.0, False
        to, source = (slice(k, n), slice(0, max(n - k, 0))) if k > 0 else (slice(0, max(n + k, 0)), slice(-k, n))
        x[to, columns], mask[to, m] = tokens.x[source, columns], tokens.mask[source, m]
    return replace(tokens, x=x, mask=mask)


def each_by_its_own(n_modalities: int, largest: int, rng: np.random.Generator) -> np.ndarray:
    """A delay for every modality, tokens (M,), uniform within ``largest`` either way; one ``rng`` gives larger ones alike."""
    return np.rint(rng.uniform(-1, 1, n_modalities) * largest).astype(np.int64)
