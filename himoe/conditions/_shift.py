"""Displacements by whole tokens: what the conditions that make a trial asynchronous share."""

from __future__ import annotations

import numpy as np

from himoe.data.perturbation import Perturbation, displacement
from himoe.types import HimoeError, Tokens


def steps(seconds: float, token_rate: float, condition: str) -> int:
    """Seconds as a number of tokens; HimoeError unless that is whole."""
    k = seconds * token_rate
    if abs(k - round(k)) > 1e-6:
        raise HimoeError(f"conditions.{condition}: {seconds:g} s is no whole number of tokens at {token_rate:g} Hz")
    return round(k)


def delayed(tokens: Tokens, by: np.ndarray) -> Perturbation:
    """One trial with modality m delayed by ``by[m]`` tokens (M,), or by ``by[t, m]`` (n_tokens, M); advanced where negative."""
    return displacement(np.arange(len(tokens.x))[:, None] - by)


def each_by_its_own(n_modalities: int, largest: int, rng: np.random.Generator) -> np.ndarray:
    """A delay for every modality, tokens (M,), uniform within ``largest`` either way; one ``rng`` gives larger ones alike."""
    return np.rint(rng.uniform(-1, 1, n_modalities) * largest).astype(np.int64)


def shifted_and_thinned(tokens: Tokens, seconds: float, rate: float, condition: str, rng: np.random.Generator) -> Perturbation:
    """One trial with every modality shifted by up to ``seconds`` and then without ``rate`` of its tokens, at random. All shifts
    above 0 lose the same tokens of the part that is scored; at 0 neither happens."""
    lost = rng.random(tokens.mask.shape) < (rate if seconds else 0.0)
    largest = steps(seconds, tokens.layout.token_rate, condition)
    return delayed(tokens, each_by_its_own(lost.shape[1], largest, rng))._replace(lost=lost)
