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
    """One trial with modality m delayed by ``by[m]`` tokens (M,), advanced where negative.

    What leaves the trial at one end comes in at the other, where nothing is scored: were it absent there, that alone would
    tell the shift, and with the ends cut off for every severity a trial would begin later than it did, also where nothing is
    shifted."""
    x, mask = tokens.x.copy(), tokens.mask.copy()
    for m in np.flatnonzero(by):
        columns = tokens.layout.slices[tokens.layout.modalities[m]]
        x[:, columns] = np.roll(tokens.x[:, columns], int(by[m]), axis=0)
        mask[:, m] = np.roll(tokens.mask[:, m], int(by[m]))
    return replace(tokens, x=x, mask=mask)


def each_by_its_own(n_modalities: int, largest: int, rng: np.random.Generator) -> np.ndarray:
    """A delay for every modality, tokens (M,), uniform within ``largest`` either way; one ``rng`` gives larger ones alike."""
    return np.rint(rng.uniform(-1, 1, n_modalities) * largest).astype(np.int64)
